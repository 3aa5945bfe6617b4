// A sender of samples: a page of the gateway's own origin that holds one /ingest open, because not every Node has a WebSocket.
import { PATIENCE_MS } from "./view.mjs";

export class Feed {
  /** Opens `/ingest` of the gateway at `url` with the source's `token`, in a page of its own. */
  static async open(browser, url, token) {
    const feed = new Feed();
    feed.context = await browser.newContext();
    feed.page = await feed.context.newPage();
    await feed.page.goto(`${url}/healthz`, { timeout: PATIENCE_MS });
    await feed.page.evaluate((secret) => new Promise((done, failed) => {
      const socket = new WebSocket(`ws://${location.host}/ingest`);
      window.__socket = socket;
      window.__waiting = new Map();
      window.__faults = [];
      socket.onmessage = ({ data }) => {
        for (const answer of data.split("\n").filter(Boolean).map((line) => JSON.parse(line))) {
          if ("ack" in answer) window.__waiting.get(answer.ack)?.(answer);
          else window.__faults.push(answer.error ?? answer.warning);
        }
      };
      socket.onerror = () => failed(new Error("can't push"));
      socket.onopen = () => {
        socket.send(JSON.stringify({ token: secret }));
        done();
      };
    }), token);
    return feed;
  }

  /** Sends lines, in one message, and waits until the gateway says that they are safe; fails where it takes one not as it stands. */
  async send(...lines) {
    const { answer, faults } = await this.page.evaluate((given) => new Promise((done) => {
      const ack = (window.__acks = (window.__acks ?? 0) + 1);
      window.__waiting.set(ack, (answer) => done({ answer, faults: window.__faults.splice(0) }));
      window.__socket.send([...given, { ack }].map((line) => JSON.stringify(line)).join("\n"));
    }), lines);
    if (faults.length > 0 || answer.refused > 0) throw new Error(`the gateway does not take it: ${JSON.stringify({ answer, faults })}`);
    return answer;
  }

  /** From now on sends `line` so often, until `stop`. */
  every(ms, line) {
    return this.page.evaluate(({ ms, line }) => {
      const send = () => window.__socket.readyState === WebSocket.OPEN && window.__socket.send(JSON.stringify(line));
      clearInterval(window.__timer);
      send();
      window.__timer = setInterval(send, ms);
    }, { ms, line });
  }

  /** Falls silent; the connection stays. */
  stop() {
    return this.page.evaluate(() => clearInterval(window.__timer));
  }

  async close() {
    await this.context.close();
  }
}
