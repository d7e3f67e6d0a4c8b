"""What layer names tell: the block a layer belongs to, and the family of like-named blocks."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"(?:bn|batch_?norm|scale|p?relu)_(?=\D)", re.IGNORECASE)
"""What names a layer after the convolution it stands behind."""
_RESIDUAL = re.compile(r"(?:res|bn|scale)(\d+[a-z]\d*)(?:_.*)?")
_PART = re.compile(
    r"(.*\d[a-z]?)_(?:dw|dwise|depthwise|sep|pw|pwise|pointwise|linear|project|squeeze|expand|reduce|branch|\d+x\d+)"
    r"\w*(?:/.*)?"
)
_NUMBERED = re.compile(r"[\d_]+[a-z]?\d*$")


def block_of(name: str) -> str | None:
    """The block that a layer's name places it in, or None.

    >>> block_of("fire2/squeeze1x1"), block_of("inception_3a/pool"), block_of("conv2_1/dw/bn")
    ('fire2', 'inception_3a', 'conv2_1')
    >>> block_of("res2a_branch2b"), block_of("bn4b10_branch1"), block_of("conv1")
    ('res2a', 'res4b10', None)
    >>> block_of("conv3_1_dw"), block_of("fire2_expand3x3"), block_of("mixed_5b_1x1")
    ('conv3_1', 'fire2', 'mixed_5b')
    >>> block_of("bn_conv3_1/dw"), block_of("scale_conv3_1_sep")
    ('conv3_1', 'conv3_1')
    """
    name = _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name
    prefix, slash, _ = name.partition("/")
    if slash and prefix and not _PART.fullmatch(prefix):
        return prefix
    residual = _RESIDUAL.fullmatch(name)
    if residual:
        return f"res{residual[1]}"
    part = _PART.fullmatch(name)
    return part[1] if part else None


def family_of(block: str) -> str:
    """The stem that a block shares with its like.

    >>> family_of("fire9"), family_of("inception_3a"), family_of("conv2_1"), family_of("res4b10")
    ('fire', 'inception', 'conv', 'res')
    """
    return _NUMBERED.sub("", block) or block


def family_title(family: str) -> str:
    """How a family is called in reports: `Fire modules`."""
    return f"{family[:1].upper()}{family[1:]} modules"
