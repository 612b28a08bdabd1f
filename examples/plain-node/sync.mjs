// Order sync: takes new orders from Shopify and puts them into NetSuite. Runs on Node alone: `node sync.mjs`.
import { createServer } from "node:http";
import { createHash, createHmac, createPrivateKey, randomUUID, sign, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const env = process.env;
const SCALE = Number(env.HANDOFF_TIME_SCALE ?? 1);
const seconds = (n) => (n * 1000) / SCALE;

// --- state: dead letters and the ids of webhooks already seen, in one JSON file -----------------------------------------

const FILE = join(env.INTEGRATION_DATA_DIR, "state.json");
const state = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : { seen: {}, deadLetters: [] };
const save = () => writeFileSync(FILE, JSON.stringify(state));

// --- retry and circuit breaker ------------------------------------------------------------------------------------------

class CircuitOpenError extends Error {}

class CircuitBreaker {
  constructor({ failures, pause, onOpen }) {
    Object.assign(this, { limit: failures, pause, onOpen, failures: 0, openUntil: 0 });
  }

  get state() {
    if (this.failures < this.limit) return "closed";
    return Date.now() < this.openUntil ? "open" : "half_open";
  }

  async run(call) {
    if (this.state === "open") throw new CircuitOpenError("circuit is open");
    try {
      const result = await call();
      this.failures = 0;
      return result;
    } catch (error) {
      this.failures += 1;
      if (this.failures >= this.limit) {
        this.openUntil = Date.now() + this.pause;
        this.onOpen(error);
      }
      throw error;
    }
  }
}

async function withRetry(call, { attempts, wait }) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      error.attempts = attempt;
      if (attempt >= attempts) throw error;
      await sleep(wait * 2 ** (attempt - 1));
    }
  }
}

// --- NetSuite -----------------------------------------------------------------------------------------------------------

class HttpError extends Error {
  constructor(status, text) {
    super(`HTTP ${status}: ${text}`);
    Object.assign(this, { status, code: `HTTP_${status}` });
  }
}

async function request(url, options) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(seconds(20)) });
  const text = await response.text();
  if (!response.ok) throw new HttpError(response.status, text);
  return text;
}

let token = null;

async function login() {
  const url = `${env.ERP_URL}/services/rest/auth/oauth2/v1/token`;
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const head = encode({ alg: "ES256", typ: "JWT", kid: env.ERP_CERTIFICATE_ID });
  const claims = encode({ iss: env.ERP_CLIENT_ID, scope: ["rest_webservices"], aud: url, iat: now, exp: now + 300 });
  const key = { key: createPrivateKey(readFileSync(env.ERP_PRIVATE_KEY_FILE)), dsaEncoding: "ieee-p1363" };
  const signature = sign("sha256", Buffer.from(`${head}.${claims}`), key).toString("base64url");
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: `${head}.${claims}.${signature}`,
  });
  token = JSON.parse(await request(url, { method: "POST", body })).access_token;
}

async function createSalesOrder(body) {
  if (!token) await login();
  const url = `${env.ERP_URL}/services/rest/record/v1/salesOrder`;
  const options = () => ({
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body,
  });
  try {
    await request(url, options());
  } catch (error) {
    if (error.status === 401) {
      // The session has expired: log in again and repeat the call.
      await login();
      await request(url, options());
    } else if (error.status === 400 && error.message.includes("already exists")) {
      // It was created by an earlier attempt whose answer got lost.
    } else {
      throw error;
    }
  }
}

const toSalesOrder = (order) =>
  JSON.stringify({
    externalId: `SHOP-${order.order_number}`,
    entity: { externalId: "WEB-STORE" },
    otherRefNum: order.name,
    memo: `Imported ${new Date().toISOString()}`,
    currency: { refName: order.currency },
    item: {
      items: order.line_items.map((line) => ({
        item: { externalId: line.sku },
        quantity: line.quantity,
        rate: Number(line.price),
      })),
    },
  });

// --- on-call ------------------------------------------------------------------------------------------------------------

async function page(key, summary, details) {
  const event = {
    routing_key: env.OPS_ROLE_INTEGRATION_ONCALL_KEY,
    event_action: "trigger",
    dedup_key: key,
    payload: { summary, source: "order-sync", severity: "error", custom_details: { handoff: "order-to-erp", ...details } },
  };
  const headers = { "Content-Type": "application/json" };
  try {
    await request(`${env.OPS_PAGERDUTY_URL}/v2/enqueue`, { method: "POST", headers, body: JSON.stringify(event) });
  } catch (error) {
    console.error("could not page", error);
  }
}

// --- the sync itself ----------------------------------------------------------------------------------------------------

const erp = new CircuitBreaker({
  failures: 5,
  pause: seconds(40),
  onOpen: () => page("erp-circuit", "NetSuite is failing, paused for 40 s", { code: "CIRCUIT_OPEN" }),
});

async function handOn(order) {
  let body;
  try {
    await withRetry(() => erp.run(() => createSalesOrder((body = toSalesOrder(order)))), { attempts: 4, wait: seconds(4) });
  } catch (error) {
    console.error(`${order.name} goes to the dead letters:`, error.message);
    deadLetter(order, body, error);
  }
}

function deadLetter(order, body, error) {
  state.deadLetters.push({
    id: randomUUID(),
    handoff: "order-to-erp",
    entity: order.name,
    code: error.code ?? error.name,
    attempts: error.attempts,
    payload_sha256: createHash("sha256").update(body ?? "").digest("hex"),
    state: "waiting",
    order,
  });
  save();
  const waiting = state.deadLetters.filter((letter) => letter.state === "waiting").length;
  if (waiting >= 3) page("dead-letters", `${waiting} orders wait in the dead letters`, { entity: order.name, code: error.code });
}

function isSigned(body, signature) {
  const expected = createHmac("sha256", env.STOREFRONT_WEBHOOK_SECRET).update(body).digest();
  const given = Buffer.from(signature ?? "", "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function receive(body, headers) {
  if (!isSigned(body, headers["x-shopify-hmac-sha256"])) return [401, { error: "bad signature" }];
  const order = JSON.parse(body);
  if (!state.seen[order.id]) {
    state.seen[order.id] = true;
    save();
    handOn(order); // not awaited: Shopify wants its answer within five seconds
  }
  return [200, { ok: true }];
}

function replay(id) {
  const letter = state.deadLetters.find((each) => each.id === id && each.state === "waiting");
  if (!letter) return [404, { error: "no such dead letter" }];
  letter.state = "replayed";
  save();
  handOn(letter.order);
  return [202, { ok: true }];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let answer = [404, { error: "not found" }];
  try {
    const [, first, second, id, verb] = request.url.split("/");
    if (request.method === "POST" && request.url === "/webhooks/shopify") answer = receive(Buffer.concat(chunks), request.headers);
    else if (request.url === "/health") answer = [200, { ok: true }];
    else if (request.url === "/admin/dead-letters") answer = [200, state.deadLetters.map(({ order, ...letter }) => letter)];
    else if (request.url === "/admin/breakers") answer = [200, [{ handoff: "order-to-erp", state: erp.state }]];
    else if (first === "admin" && second === "dead-letters" && verb === "replay") answer = replay(id);
  } catch (error) {
    answer = [500, { error: error.message }];
  }
  response.writeHead(answer[0], { "Content-Type": "application/json" });
  response.end(JSON.stringify(answer[1]));
});

server.listen(Number(env.INTEGRATION_PORT), env.INTEGRATION_HOST, () => console.log("order sync is up"));
