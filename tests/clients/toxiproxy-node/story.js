// Tells a story to a Toxiproxy admin API with toxiproxy-node-client: `node story.js URL UPSTREAM`.
// Prints one JSON object: what each call answered, or `{refused}` with its message where it was refused.
"use strict";
const { Toxiproxy } = require("toxiproxy-node-client");

const [url, upstream] = process.argv.slice(2);
const server = new Toxiproxy(url);
const told = {};

const tell = async (name, call) => {
  try {
    const answer = await call();
    told[name] = answer === undefined ? null : answer;
  } catch (error) {
    told[name] = { refused: error.message };
  }
};

const types = {
  latency: { latency: 5, jitter: 1 },
  bandwidth: { rate: 1000 },
  slow_close: { delay: 5 },
  timeout: { timeout: 5 },
  reset_peer: { timeout: 5 },
  slicer: { average_size: 5, size_variation: 1, delay: 2 },
  limit_data: { bytes: 5 },
};

const main = async () => {
  const body = { name: "p", upstream, listen: "127.0.0.1:0" };
  await tell("version", async () => Object.keys(JSON.parse(await server.getVersion())));
  await tell("create", async () => (await server.createProxy(body)).toJson());
  await tell("create again", () => server.createProxy(body));
  await tell("get", async () => (await server.get("p")).toJson());
  await tell("get none", () => server.get("none"));
  await tell("all", async () => Object.keys(await server.getAll()));

  const proxy = await server.get("p");
  for (const [type, attributes] of Object.entries(types)) {
    for (const stream of ["downstream", "upstream"]) {
      await tell(`${type} ${stream}`, async () =>
        (await proxy.addToxic({ type, attributes, stream, name: `${type}-${stream}`, toxicity: 0.5 })).toJson());
    }
  }
  await tell("a toxic that is unknown", () => proxy.addToxic({ type: "nonsense", attributes: {} }));
  await tell("a toxic again", () => proxy.addToxic({ type: "latency", name: "latency-upstream", attributes: {} }));
  await tell("get toxic", async () => (await proxy.getToxic("slicer-upstream")).toJson());
  await tell("update toxic", async () => {
    const toxic = await proxy.getToxic("latency-downstream");
    return (await toxic.update({ attributes: { latency: 7, jitter: 0 }, toxicity: 1 })).toJson();
  });
  await tell("remove toxic", async () => (await proxy.getToxic("latency-downstream")).remove());
  await tell("get removed toxic", () => proxy.getToxic("latency-downstream"));
  await tell("down", async () => (await proxy.update({ ...body, listen: proxy.listen, enabled: false })).toJson());
  await tell("reset", () => server.reset());
  await tell("after reset", async () => (await server.get("p")).toJson());
  await tell("no toxic after reset", () => proxy.getToxic("slicer-upstream"));
  await tell("populate", async () =>
    Object.values(await server.populate([{ ...body, name: "q" }, { ...body, name: "r" }])).map((each) => each.toJson()));
  await tell("populate badly", () => server.populate([{ name: "s" }]));
  for (const name of ["p", "q", "r"]) await tell(`remove ${name}`, async () => (await server.get(name)).remove());
  await tell("nothing is left", async () => Object.keys(await server.getAll()));
  console.log(JSON.stringify(told));
};

main();
