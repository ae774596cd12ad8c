"""What a learner does in JupyterLab, done in a headless Chromium."""

import io
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from lab import Lab
from PIL import Image
from playwright.sync_api import Page, TimeoutError, ViewportSize

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
LAYOUT = (Path(__file__).parent / "layout.js").read_text(encoding="utf-8")
LOAD = 600  # seconds for JupyterLab or a notebook to appear
RUN = 3600  # seconds for all cells of a notebook
ANSWER = 300  # seconds for one cell, or for a figure to follow its control
TALL = 4000  # height of the window for a picture of a whole notebook

# In the page: the panel of the notebook, its code cells, and whether one of them failed.
PANEL = "const panel = jupyterapp.shell.currentWidget, notebook = panel?.content;"
CODE = """const code = notebook.widgets
    .map(cell => cell.model)
    .filter(model => model.type === "code" && model.sharedModel.getSource().trim());
const failed = code.some(model =>
    model.executionCount && model.outputs.toJSON().some(o => o.output_type === "error"));"""
# Bytes of an image as text. The address is no help: it changes whenever the image is sent.
BYTES = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).join(" ");
}"""


def chromium() -> str | None:
    """The browser of this system, or None. (Playwright may have one of its own.)"""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class NotebookPage:
    """JupyterLab in a browser, and in it one notebook at a time.

    Attributes:
        errors: what went wrong in the page's own programs so far.
    """

    page: Page
    lab: Lab
    errors: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.set_default_timeout(ANSWER * 1000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._listen)
        # "reset": no notebook is open again because an earlier page had it.
        self.page.goto(f"{self.lab.url}&reset", timeout=LOAD * 1000)
        self.wait("JupyterLab to load", "window.jupyterapp", LOAD)
        self.page.evaluate("void jupyterapp.restored.then(() => { window.restored = true; })")
        self.wait("JupyterLab to be ready", "window.restored", LOAD)

    def _listen(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def wait(self, what: str, condition: str, seconds: float = ANSWER, argument=None) -> None:
        """Return when a condition in the page holds. (A promise, being something, always does.)

        Raises:
            AssertionError: it did not for so long; says what was awaited.
        """
        try:
            self.page.wait_for_function(condition, arg=argument, timeout=1000 * seconds)
        except TimeoutError:
            raise AssertionError(f"waited {seconds} s in vain for {what}") from None

    def command(self, name: str, arguments: dict | None = None) -> None:
        """Start one of JupyterLab's commands; what it does is to be awaited."""
        script = "([name, arguments]) => void jupyterapp.commands.execute(name, arguments)"
        self.page.evaluate(script, [name, arguments or {}])

    def open(self, name: str, kernel: bool) -> None:
        """Open a notebook of the lab's folder and wait until all of it is drawn."""
        self.name = name
        count = len(self.saved().cells)
        preference = {} if kernel else {"shouldStart": False, "canStart": False}
        self.command(
            "docmanager:open",
            {"path": name, "factory": "Notebook", "kernelPreference": preference},
        )
        self.wait(
            f"{name} to show its {count} cells",
            f"""([name, count]) => {{
                {PANEL}
                const shown = (cell) => {{
                    const text = cell.model.type === "markdown";
                    const kind = text ? ".jp-RenderedMarkdown" : ".jp-OutputArea-output";
                    const parts = [...cell.node.querySelectorAll(kind)];
                    const folded = cell.outputHidden;  // not drawn before it is unfolded
                    return parts.length === (text ? 1 : folded ? 0 : cell.model.outputs.length)
                        && parts.every(part => part.childElementCount)
                        && [...cell.node.querySelectorAll("img")].every(image => image.complete);
                }};
                return panel?.context?.path === name && notebook.widgets.length === count
                    && notebook.widgets.every(shown);
            }}""",
            LOAD,
            [name, count],
        )
        if kernel:
            idle = "panel.sessionContext.session?.kernel?.status === 'idle'"
            self.wait(f"the kernel of {name}", f"() => {{ {PANEL} return {idle}; }}", LOAD)

    def close(self) -> None:
        """Close the notebook, which must not have changed, or a question would come up."""
        self.page.evaluate("jupyterapp.shell.currentWidget.close()")

    def saved(self):
        """The notebook's file."""
        return nbformat.read(self.lab.folder / "notebooks" / self.name, as_version=4)

    def run_all(self):
        """Clear all outputs, run all cells, save; the notebook as the file has it then.

        Returns early if a cell fails: the ones below do not run.
        """
        self.command("notebook:clear-all-cell-outputs")
        self.wait(
            "the outputs to be cleared",
            f"() => {{ {PANEL} {CODE} return code.every(model => !model.executionCount); }}",
        )
        self.command("runmenu:run-all")
        self.wait(
            f"all cells of {self.name} to run",
            f"""() => {{
                {PANEL} {CODE}
                const idle = panel.sessionContext.session.kernel.status === "idle";
                return idle && (failed || code.every(model => model.executionCount));
            }}""",
            RUN,
        )
        self.command("docmanager:save")
        self.wait(
            f"{self.name} to be saved", f"() => {{ {PANEL} return !panel.context.model.dirty; }}"
        )
        return self.saved()

    def cell(self, place: int):
        """A cell of the notebook, counted from 0, as a locator."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(place)

    def text(self, place: int) -> str:
        """What can be read in a cell's outputs."""
        return "\n".join(self.cell(place).locator(".jp-OutputArea-output").all_inner_texts())

    def shown_errors(self) -> int:
        """How many tracebacks can be seen. (JupyterLab shows them as it shows stderr.)"""
        red = self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
        return red.filter(has_text="Traceback (most recent call last)").count()

    def answer(self, place: int, source: str) -> str:
        """Replace a cell's code as somebody who types it; run it with Shift+Enter; its output."""
        self.cell(place).locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)
        now = f"{PANEL} const model = notebook.widgets[place].model;"
        self.wait(
            f"cell {place} to hold what was typed",
            f"([place, source]) => {{ {now} return model.sharedModel.getSource() === source; }}",
            argument=[place, source],
        )
        before = self.page.evaluate(f"place => {{ {now} return model.executionCount; }}", place)
        self.page.keyboard.press("Shift+Enter")
        self.wait(
            f"cell {place} to run",
            f"""([place, before]) => {{
                {now}
                const idle = panel.sessionContext.session.kernel.status === "idle";
                return idle && model.executionCount > before;
            }}""",
            argument=[place, before],
        )
        return self.text(place)

    def move(self, place: int, seconds: float = ANSWER) -> None:
        """Move the first control of a cell's widget with the keyboard; its figure must follow.

        Raises:
            AssertionError: the figure stayed as it was.
        """
        output = self.cell(place).locator(".jp-OutputArea-output")
        image = output.locator("img.widget-image")
        before = image.evaluate(BYTES)
        control = output.locator(
            ".noUi-handle, .widget-toggle-button:not(.mod-active), input[type=checkbox]"
        ).first
        slider = "noUi-handle" in (control.get_attribute("class") or "")
        control.focus()
        self.page.keyboard.press("ArrowRight" if slider else "Space")
        last = time.monotonic() + seconds
        while image.evaluate(BYTES) == before:
            assert time.monotonic() < last, f"{seconds} s: the figure of cell {place} stays"
            self.page.wait_for_timeout(200)

    def theme(self, name: str) -> None:
        """Change to the theme "Light" or "Dark"."""
        self.command("apputils:change-theme", {"theme": f"JupyterLab {name}"})
        self.wait(
            f"the theme {name}",
            """light => document.body.dataset.jpThemeLight === light
                && getComputedStyle(document.body).getPropertyValue("--jp-layout-color0")""",
            argument="true" if name == "Light" else "false",
        )

    def layout_faults(self) -> list[str]:
        """What layout.js finds; it also opens all answers that were folded away."""
        self.settle()
        return self.page.evaluate(LAYOUT)

    def settle(self) -> None:
        """Let the page draw what was changed."""
        self.page.evaluate(
            "new Promise(d => requestAnimationFrame(() => requestAnimationFrame(() => d())))"
        )

    def picture(self, size: ViewportSize, scale: float) -> Image.Image:
        """The whole notebook, from several pictures of a very tall window."""
        self.page.set_viewport_size({"width": size["width"], "height": TALL})
        self.settle()
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer")
        height, step = panel.evaluate("panel => [panel.scrollHeight, panel.clientHeight]")
        box = panel.bounding_box()
        edge = 10  # of the window, where the toolbar casts its shadow on the notebook
        whole = Image.new("RGB", (round(box["width"] * scale), round(height * scale)))
        for wanted in range(0, height, step - edge):
            top = panel.evaluate(
                "(panel, top) => { panel.scrollTop = top; return panel.scrollTop; }", wanted
            )
            self.settle()
            part = Image.open(io.BytesIO(self.page.screenshot(clip=box)))
            hidden = round(edge * scale) if top else 0
            part = part.crop((0, hidden, part.width, round(step * scale)))
            whole.paste(part, (0, round(top * scale) + hidden))
        self.page.set_viewport_size(size)
        return whole
