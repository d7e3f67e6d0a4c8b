"""What layer names tell: the block a layer belongs to, and the family of like-named blocks."""

from __future__ import annotations

import re

_RESIDUAL = re.compile(r"(?:res|bn|scale)(\d+[a-z]\d*)(?:_.*)?")
_NUMBERED = re.compile(r"[\d_]+[a-z]?\d*$")


def block_of(name: str) -> str | None:
    """The block that a layer's name places it in, or None.

    >>> block_of("fire2/squeeze1x1"), block_of("inception_3a/pool"), block_of("conv2_1/dw/bn")
    ('fire2', 'inception_3a', 'conv2_1')
    >>> block_of("res2a_branch2b"), block_of("bn4b10_branch1"), block_of("conv1")
    ('res2a', 'res4b10', None)
    """
    prefix, slash, _ = name.partition("/")
    if slash and prefix:
        return prefix
    residual = _RESIDUAL.fullmatch(name)
    return f"res{residual[1]}" if residual else None


def family_of(block: str) -> str:
    """The stem that a block shares with its like.

    >>> family_of("fire9"), family_of("inception_3a"), family_of("conv2_1"), family_of("res4b10")
    ('fire', 'inception', 'conv', 'res')
    """
    return _NUMBERED.sub("", block) or block


def family_title(family: str) -> str:
    """How a family is called in reports: `Fire modules`."""
    return f"{family[:1].upper()}{family[1:]} modules"
