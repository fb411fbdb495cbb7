// Copy buttons, and suggestions below the search box. Every page works without this script.
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

const found = document.getElementById("found");
if (box && found) {
  let timer = 0;
  let latest = 0;
  const show = (html) => {
    found.innerHTML = html;
    found.setAttribute("aria-busy", "false");
  };
  const close = () => {
    clearTimeout(timer);
    latest += 1;
    show("");
  };
  const ask = async (number) => {
    let html = "";
    try {
      const answer = await fetch(`${found.dataset.from}?q=${encodeURIComponent(box.value)}`);
      html = answer.ok ? await answer.text() : "";
    } catch {
      // No answer shows nothing.
    }
    if (number === latest) show(html);
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    latest += 1;
    if (!box.value.trim()) return show("");
    found.setAttribute("aria-busy", "true");
    timer = setTimeout(ask, 120, latest);
  });
  box.form.addEventListener("keydown", (event) => {
    const stops = [box, ...found.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    if (event.key === "Escape" && at >= 0) {
      if (found.firstChild || at) event.preventDefault();
      close();
      box.focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && at >= 0 && stops.length > 1) {
      event.preventDefault();
      stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
    }
  });
  for (const kind of ["focusin", "click"]) {
    document.addEventListener(kind, (event) => box.form.contains(event.target) || close());
  }
}
