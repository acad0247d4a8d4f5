// The launcher: what a site's script tag loads. It says who it is, keeps what the page asks for until the widget is there,
// and loads the rest from where it came itself.
(() => {
  if (window.kefu) return; // a second tag on one page
  const tag = document.currentScript;
  const origin = new URL(tag.src).origin;
  const waiting = [];
  const later = (name) => (...given) => { waiting.push([name, given]); };
  window.kefu = Object.fromEntries(["open", "close", "identify", "on"].map((name) => [name, later(name)]));
  const begin = async () => {
    try {
      const { start } = await import(`${origin}/widget/at/__VERSION__/main.js`);
      window.kefu = await start({ origin, base: `${origin}/widget/at/__VERSION__`, options: { ...tag.dataset } });
      for (const [name, given] of waiting) window.kefu[name](...given);
    } catch (error) {
      console.warn(
        `[kefu] The chat could not be loaded from ${origin}. If ${location.origin} is not among allowed_sites in the ` +
          "[server] section of its kefu.toml, add it; if this page has a Content-Security-Policy, see docs/embedding.md.",
        error,
      );
    }
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
