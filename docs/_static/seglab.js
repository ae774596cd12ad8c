// What the theme leaves open for people who use a keyboard or a screen reader.
addEventListener("DOMContentLoaded", () => {
  // These have a visible text already; another name hides it.
  const named = ".search-button-field, summary[aria-label='Toggle hidden content']";
  for (const element of document.querySelectorAll(named)) element.removeAttribute("aria-label");

  // The arrow beside an entry of the table of contents is a picture without a name.
  for (const arrow of document.querySelectorAll("nav summary:not([aria-label])")) {
    const entry = arrow.closest("li")?.querySelector("a")?.textContent.trim() ?? "this entry";
    arrow.setAttribute("aria-label", `Pages below ${entry}`);
  }

  // The arguments of a long signature stand in lines of their own; that is all the list is for.
  for (const part of document.querySelectorAll("dt.sig dl, dt.sig dd")) part.role = "presentation";

  // What scrolls sideways can be reached, and so scrolled, without a mouse.
  const wide = ".pst-scrollable-table-container, .text_html, .bd-article pre";
  for (const box of document.querySelectorAll(wide)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
