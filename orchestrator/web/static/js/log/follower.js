// Hears of a log that grows, while its page is seen and until its try is over.
export class Follower {
  constructor(path, grown, over) {
    this.path = path;
    this.grown = grown;
    this.over = over;
    this.stream = null;
    this.isOver = false;
    document.addEventListener("visibilitychange", () => this.look());
    this.look();
  }

  // A hidden page needs no connection, of which a browser has six for all pages of a server.
  look() {
    if (this.isOver || document.hidden) return this.close();
    if (!this.stream) this.listen();
  }

  close() {
    this.stream?.close();
    this.stream = null;
  }

  end() {
    this.isOver = true;
    this.close();
  }

  listen() {
    const stream = new EventSource(this.path);
    this.stream = stream;
    stream.addEventListener("growth", (event) => {
      const told = JSON.parse(event.data);
      if (told.is_over) this.end();
      this.grown(told);
      if (told.is_over) this.over();
    });
    stream.addEventListener("error", () => {
      if (stream.readyState !== EventSource.CLOSED || this.stream !== stream) return;
      this.stream = null;
      setTimeout(() => this.look(), 5000);
    });
  }
}
