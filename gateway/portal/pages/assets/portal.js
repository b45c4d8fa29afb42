// Pages work without this file. It adds three things: a polite note that
// new entries have come, and buttons that copy a command or print the page.
(function () {
  "use strict";

  function announce(place) {
    var count = 0;
    var note = document.createElement("div");
    var words = document.createElement("span");
    var link = document.createElement("a");
    link.href = location.href;
    link.textContent = place.dataset.show;
    note.append(words, link);
    function come() {
      count += 1;
      // The note stands in a place of its own: nothing that is being read moves.
      words.textContent = (count === 1 ? place.dataset.singular : place.dataset.plural).replace("#", String(count));
      if (!note.isConnected) {
        place.append(note);
      }
    }
    return come;
  }

  function concerns(subject, data) {
    if (!subject) {
      return true;
    }
    try {
      var entry = JSON.parse(data);
      return entry.subject === subject || (entry.postings || []).some(function (p) {
        return p.from === subject || p.to === subject;
      });
    } catch (broken) {
      return false;
    }
  }

  var place = document.querySelector("[data-events]");
  if (place && window.EventSource) {
    var come = announce(place);
    var stream = new EventSource(place.dataset.events);
    place.dataset.kinds.split(" ").forEach(function (kind) {
      stream.addEventListener(kind, function (event) {
        // A stream that opens has an event of its own, called open, without data.
        if (typeof event.data === "string" && concerns(place.dataset.subject, event.data)) {
          come();
        }
      });
    });
    window.addEventListener("pagehide", function () { stream.close(); });
  }

  document.querySelectorAll("[data-print]").forEach(function (place) {
    var button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = place.dataset.print;
    button.addEventListener("click", function () { window.print(); });
    place.append(button);
  });

  document.querySelectorAll("[data-copy]").forEach(function (command) {
    if (!navigator.clipboard) {
      return;
    }
    var button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = command.dataset.copy;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(command.querySelector("code").textContent).then(function () {
        button.textContent = command.dataset.copied;
      });
    });
    command.after(button);
  });
})();
