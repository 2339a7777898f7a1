"""What the outside must provide, one Protocol a module.

Implementations need not inherit. Arguments that carry data are positional only; options belong to
an options value or to the provider that builds the implementation. Implementations may be called
from several threads at once.
"""
