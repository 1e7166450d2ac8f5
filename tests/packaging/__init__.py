"""Tests of what is installed: the wheel, the sdist, the extras."""
