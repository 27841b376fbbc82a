// Seconds a person was at work: the tab was visible and something moved within the last minute.

const PATIENCE = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"];

export class Timer {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.restart(0);
    for (const sign of SIGNS) document.addEventListener(sign, () => this.noteActivity(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => this.noteVisibility());
  }

  restart(seconds) {
    this.counted = seconds * 1000;
    this.since = this.lastSign = this.now();
    this.visible = document.visibilityState === "visible";
  }

  seconds() {
    this.count();
    return this.counted / 1000;
  }

  idleSeconds() {
    return (this.now() - this.lastSign) / 1000;
  }

  count() {
    const until = Math.min(this.now(), this.lastSign + PATIENCE);
    if (this.visible && until > this.since) this.counted += until - this.since;
    this.since = this.now();
  }

  noteActivity() {
    this.count();
    this.lastSign = this.now();
  }

  noteVisibility() {
    this.count();
    this.visible = document.visibilityState === "visible";
    if (this.visible) this.lastSign = this.now();
  }
}
