// Search on pages that were opened as files: browsers start no workers there, so it runs in a hidden frame.
// The theme's plugin `offline` would fetch such a script from elsewhere; its name tells it that one is here.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.onmessage = null;
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.ready = new Promise((resolve) => {
        const script = this.inside.document.createElement("script");
        this.inside.postMessage = this.inside.parent.postMessage.bind(this.inside.parent);
        script.src = address;
        script.onload = resolve;
        this.inside.document.body.append(script);
      });
      addEventListener("message", (event) => {
        if (event.source !== this.inside) return;
        const told = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(told);
        if (this.onmessage) this.onmessage(told);
      });
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
