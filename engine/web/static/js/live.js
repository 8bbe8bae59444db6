// The stream of changes becomes DOM events on <body>, which htmx and modules listen to:
//   accord:loans      detail.loans: numbers of loans that changed; null: look at everything
//   accord:loan-137   the same for one loan
// The browser connects again by itself; what happened in between is unknown, so everything is looked at then.

const tell = (name, loans) => document.body.dispatchEvent(new CustomEvent(name, { detail: { loans } }));

export function listen(address) {
  let wasLost = false;
  const source = new EventSource(address);
  source.addEventListener("loans", (event) => {
    const { loans } = JSON.parse(event.data);
    tell("accord:loans", loans);
    for (const number of loans) tell(`accord:loan-${number}`, loans);
  });
  source.addEventListener("everything", () => tell("accord:loans", null));
  source.addEventListener("open", () => {
    document.documentElement.dataset.connected = "yes";
    if (wasLost) tell("accord:loans", null);
    wasLost = false;
  });
  source.addEventListener("error", () => {
    document.documentElement.dataset.connected = "no";
    wasLost = true;
  });
  addEventListener("pagehide", () => source.close());
}
