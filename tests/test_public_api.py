import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import lifecycle_mail

PACKAGES = [
    "lifecycle_mail",
    *(
        found.name
        for found in pkgutil.walk_packages(lifecycle_mail.__path__, "lifecycle_mail.")
        if found.ispkg and found.name != "lifecycle_mail.cli"
    ),
]


def exported(module: ModuleType) -> list[str]:
    """Return `__all__`, or nothing where a package has no names of its own."""
    return list(getattr(module, "__all__", []))


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_each_name_is_there(name: str) -> None:
    """Every name that a package promises can be imported from it, and stands in `__all__` once, in order."""
    module = importlib.import_module(name)
    promised = exported(module)
    assert sorted(set(promised), key=isort_key) == promised
    for one in promised:
        assert getattr(module, one) is not None
        assert one in dir(module)


def isort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts them."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


@pytest.mark.parametrize("name", [one for one in PACKAGES if exported(importlib.import_module(one))])
def test_all_is_complete(name: str) -> None:
    """What a package imports from this library it also promises: nothing is public by accident."""
    module = importlib.import_module(name)
    for one in exported(module):
        getattr(module, one)  # the lazy ones
    public = {
        one
        for one, value in vars(module).items()
        if not one.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", "").startswith("lifecycle_mail")
    }
    assert public <= set(exported(module))


def test_every_promised_name_says_what_it_is() -> None:
    """Whatever is importable from the top has a docstring, or is a value that documents itself."""
    for one in lifecycle_mail.__all__:
        value = getattr(lifecycle_mail, one)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), one


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """Importing names on first use hides no misspelling."""
    with pytest.raises(AttributeError, match="Lifecycel"):
        lifecycle_mail.Lifecycel  # noqa: B018
    assert not hasattr(lifecycle_mail, "nothing")


def test_the_two_lists_of_lazy_names_agree() -> None:
    """`__all__`, the table of homes and what type checkers see name the same things."""
    assert sorted(lifecycle_mail.__all__) == sorted(lifecycle_mail._HOME_OF)
    source = inspect.getsource(lifecycle_mail)
    typed = source[source.index("if TYPE_CHECKING") : source.index("_HOME_OF")]
    for one in lifecycle_mail.__all__:
        assert one in typed.replace(",", " ").split(), one
