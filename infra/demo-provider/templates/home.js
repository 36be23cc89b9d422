const region = document.getElementById("activity");
let shown = "";

function show(html) {
  // Only a change is put on the page, so that a screen reader speaks only of changes.
  if (html !== shown) {
    shown = html;
    region.innerHTML = html;
    inLocalTime();
  }
}

function inLocalTime() {
  for (const time of region.querySelectorAll("time")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString();
  }
}

async function look() {
  try {
    const answer = await fetch("/activity");
    if (answer.ok) show(await answer.text());
  } catch {
    // The server is down or restarting: look again later.
  }
  setTimeout(look, 1000);
}

inLocalTime();
look();
