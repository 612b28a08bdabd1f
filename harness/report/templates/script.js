"use strict";
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && target.closest("details.exp");
  if (folded) {
    folded.open = true;
    folded.scrollIntoView();
  }
}
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => {
  for (const item of document.querySelectorAll("details.exp:not([data-standing=held])")) item.open = true;
});
for (const line of document.querySelectorAll(".cmd")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(line.querySelector("code"));
    button.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 1600);
  });
  line.append(button);
}
