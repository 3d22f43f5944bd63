"""lema: learning from mistakes, end to end. Import nothing heavy here: `import lema` must stay instant."""

__version__ = "0.1.0"
