"""Gradients by central differences, to hold analytic ones against."""

import numpy as np


def finite_differences(function, at, step):
    """Central differences of a function to one number, for every element of `at`."""
    slopes = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        above, below = at.copy(), at.copy()
        above[index] += step
        below[index] -= step
        slopes[index] = (float(function(above)) - float(function(below))) / (2 * step)
    return slopes
