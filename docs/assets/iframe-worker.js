// A browser starts no worker from a file, so there the search of the site runs in a hidden frame. Material for MkDocs
// would take a script of this name from elsewhere.
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      const answer = "<script>postMessage = message => parent.postMessage(message, '*')</script>";
      frame.hidden = true;
      frame.srcdoc = `${answer}<script src="${address}"></script>`;
      this.window = new Promise(loaded => { frame.onload = () => loaded(frame.contentWindow); });
      addEventListener("message", ({source, data}) => {
        if (source === frame.contentWindow) this.dispatchEvent(new MessageEvent("message", {data}));
      });
      document.body.append(frame);
    }

    async postMessage(data) {
      (await this.window).dispatchEvent(new MessageEvent("message", {data}));
    }

    terminate() {}
  };
}
