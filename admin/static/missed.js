/* The four digits of the missed-question desk. Each is a button of the group in hand; the page works without. */
(() => {
  "use strict";

  const off = () => { try { return localStorage.getItem("onewindow.keys.off"); } catch (_) { return null; } };
  const writing = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
    if (!/^[1-4]$/.test(event.key) || off()) return;
    if (event.target.closest(writing) || document.querySelector("dialog[open]")) return;
    const row = document.activeElement.closest("[data-row]");
    if (!row) {
      // Nothing is decided about a group that nobody has gone to: the key goes there first.
      const first = document.querySelector("[data-row] [data-open]");
      if (first) { event.preventDefault(); first.focus(); }
      return;
    }
    const button = row.querySelector(`[data-digit="${event.key}"]`);
    if (!button) return;
    event.preventDefault();
    const kind = row.querySelector("select[name=off_topic]");
    if (event.key === "4" && kind && !kind.value) kind.focus();
    else button.click();
  });
})();
