"""What only a notebook needs."""

import inspect


def in_notebook() -> bool:
    """Does this code run in a notebook's kernel?"""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


def show_source(thing) -> None:
    """Print the source of a function or class of the package, highlighted in a notebook."""
    source = inspect.getsource(thing)
    try:
        from IPython import get_ipython
        from IPython.display import Code, display
    except ImportError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        print(source)
    else:
        html = Code(source, language="python")._repr_html_()
        # JupyterLab breaks the lines of an output anywhere; these are to be read, so they scroll.
        html = html.replace("<pre>", '<pre style="white-space: pre; overflow-x: auto">', 1)
        display({"text/html": html, "text/plain": source}, raw=True)
