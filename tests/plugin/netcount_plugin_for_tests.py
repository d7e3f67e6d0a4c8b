"""Two layer types of a package that is not netcount."""

from netcount import NOTHING, Layer, OpCount, Shape


class Halve(Layer):
    """Every `factor`-th column.  N×C×H×W -> N×C×H×(W/factor)."""

    type = "Halve"
    source = "a plugin"

    def read(self, message):
        self.factor = message.extra("halve_param", "factor", 2)
        if self.factor < 1:
            self.refuse("factor must be positive", "halve_param.factor")

    def infer(self, bottoms):
        (bottom,) = bottoms
        return [Shape((*bottom[:-1], bottom[-1] // self.factor))]

    def blobs(self, bottoms):
        return []

    def ops(self, bottoms, tops):
        return NOTHING

    def forward(self, bottoms, blobs, run):
        (x,) = bottoms
        return [x[..., : x.shape[-1] // self.factor * self.factor : self.factor]]


class ScaleTwice(Layer):
    """2·x.  *S -> *S."""

    type = "ScaleTwice"
    source = "a plugin"

    def read(self, message):
        pass

    def infer(self, bottoms):
        return [bottoms[0]]

    def blobs(self, bottoms):
        return []

    def ops(self, bottoms, tops):
        return OpCount(muls=tops[0].count())

    def forward(self, bottoms, blobs, run):
        return [bottoms[0] * 2]
