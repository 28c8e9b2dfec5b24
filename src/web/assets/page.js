// Puts the parts of the page that change where the old ones are. The page is whole without it.
"use strict";

const live = document.querySelectorAll("[data-live]");
const path = document.getElementById("list") ? "/events?offers" : "/events";
let source = null;

function put(id, html) {
  const element = document.getElementById(id);
  // What somebody is in with the keyboard, or reads, stays until they leave.
  if (!element || element.contains(document.activeElement) || holdsSelection(element)) return;
  const places = [...element.querySelectorAll(".scrolls")].map((box) => [box.scrollLeft, box.scrollTop]);
  element.innerHTML = html;
  element.querySelectorAll(".scrolls").forEach((box, n) => {
    if (places[n]) [box.scrollLeft, box.scrollTop] = places[n];
  });
}

function holdsSelection(element) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(element, true);
}

function begin() {
  source = new EventSource(path);
  source.onmessage = (message) => {
    for (const [id, html] of Object.entries(JSON.parse(message.data))) put(id, html);
  };
  source.onopen = () => document.documentElement.removeAttribute("data-lost");
  source.onerror = () => document.documentElement.setAttribute("data-lost", "");
}

if (live.length > 0) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Pause";
  button.onclick = () => {
    if (source) {
      source.close();
      source = null;
    } else {
      begin();
    }
    button.textContent = source ? "Pause" : "Go on";
  };
  document.querySelector("nav").append(button);
  begin();
}
