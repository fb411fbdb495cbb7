// Copy buttons, and "/" for the search box. Every page works without this script.
"use strict";
const said = document.getElementById("said");
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    let message = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Pages on plain http have no clipboard: select the text, so that one key copies it.
      getSelection().selectAllChildren(source);
      message = document.execCommand("copy") ? "Copied" : "Selected: copy it with your keyboard";
    }
    said.textContent = "";
    said.textContent = message;
    const label = button.textContent;
    if (message === "Copied" && !button.dataset.copied) {
      button.dataset.copied = "yes";
      button.setAttribute("aria-label", label);
      button.textContent = "Copied";
      setTimeout(() => {
        button.textContent = label;
        button.removeAttribute("aria-label");
        delete button.dataset.copied;
      }, 1500);
    }
  });
}
const box = document.querySelector("[role=search] input[type=search]");
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
  if (event.key === "/" && box && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
  }
});
