"""Check that a recipe can be trained here and now."""

from __future__ import annotations

from storage.errors import JobError
from training import methods
from training.bases.cache import BaseCache
from training.recipe.recipe import Recipe
from training.run import optimizers
from training.run.defaults import check_family


def find_method(recipe: Recipe, bases: BaseCache) -> methods.MethodModule:
    """Return the recipe's method; raise JobError if the recipe cannot be trained here and now."""
    if recipe.base_fingerprint != bases.fingerprint(recipe.base):
        raise JobError("base_changed", base=recipe.base)
    method = methods.find_for_recipe(recipe)
    check_family(recipe)
    optimizers.check_installed(recipe)
    return method
