// What a machine can see of a notebook's layout. Returns one line for each fault that it finds.
() => {
  const faults = new Set();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();

  // Any CSS colour as [red, green, blue, alpha], each from 0 to 1.
  const parsed = (color) => {
    if (!known.has(color)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      known.set(color, [...pen.getImageData(0, 0, 1, 1).data].map((x) => x / 255));
    }
    return known.get(color);
  };
  const over = (above, below) =>
    [0, 1, 2].map((i) => above[i] * above[3] + below[i] * (1 - above[3])).concat(1);

  // What lies behind an element's text: the backgrounds of all that it is in, the outermost first.
  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const color = parsed(getComputedStyle(at).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reduceRight((below, above) => over(above, below), [1, 1, 1, 1]);
  };

  // Contrast as WCAG 2 defines it.
  const luminance = (color) => {
    const [r, g, b] = color.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [a, b] = [luminance(one), luminance(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };

  const opaqueness = (element) => {
    let product = 1;
    for (let at = element; at; at = at.parentElement) product *= getComputedStyle(at).opacity;
    return product;
  };
  const hex = (color) =>
    "#" + color.slice(0, 3).map((x) => Math.round(x * 255).toString(16).padStart(2, "0")).join("");
  const words = (node) => (node.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
  // Code may scroll sideways, and its colours are JupyterLab's own.
  const code = (element) => element.closest(".highlight, pre:has(> code)");

  const notebook = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook");
  for (const details of notebook.querySelectorAll("details:not([open])")) details.open = true;
  for (const [number, cell] of [...notebook.querySelectorAll(".jp-Cell")].entries()) {
    const fault = (text) => faults.add(`cell ${number}: ${text}`);
    for (const area of cell.querySelectorAll(".jp-RenderedMarkdown, .jp-OutputArea-output")) {
      if (!area.checkVisibility()) continue;
      const end = area.getBoundingClientRect().right;
      for (const image of area.querySelectorAll("img")) {
        if (!image.complete || !image.naturalWidth) fault("a picture was not loaded");
        const beyond = image.getBoundingClientRect().right - end;
        if (beyond > 1) fault(`a picture goes ${Math.round(beyond)} pixels too far right`);
      }
      for (const part of area.querySelectorAll("table, pre, p, li, code, a, svg, mjx-container")) {
        if (code(part) || !part.checkVisibility()) continue;
        const beyond = Math.max(
          part.getBoundingClientRect().right - end,
          part.tagName === "PRE" ? part.scrollWidth - part.clientWidth : 0
        );
        const name = `${part.tagName.toLowerCase()} "${words(part)}"`;
        if (beyond > 1) fault(`${name} goes ${Math.round(beyond)} pixels too far right`);
      }
      const hidden = area.scrollWidth - area.clientWidth;
      if (hidden > 1 && !area.querySelector(".highlight, pre > code"))
        fault(`${hidden} pixels of "${words(area)}" have to be scrolled to`);

      const texts = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const text = texts.currentNode, holder = text.parentElement;
        if (!text.textContent.trim() || !holder.checkVisibility({ visibilityProperty: true })) continue;
        if (holder.closest("style, script, mjx-assistive-mml, .jp-InternalAnchorLink")) continue;
        if (code(holder)) continue;
        const behind = background(holder);
        const ink = [...parsed(getComputedStyle(holder).color)];
        ink[3] *= opaqueness(holder);
        const seen = over(ink, behind), found = contrast(seen, behind);
        if (found < 4.5)
          fault(`contrast ${found.toFixed(1)}: "${words(text)}", ${hex(seen)} on ${hex(behind)}`);
      }
    }
  }
  return [...faults];
}
