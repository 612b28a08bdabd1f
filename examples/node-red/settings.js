// Settings of Node-RED for running headless: no editor, the flows are read from beside this file and never written.
const path = require("path");
const scale = Number(process.env.HANDOFF_TIME_SCALE || 1);

module.exports = {
    flowFile: path.join(__dirname, "flows.json"),
    userDir: process.env.INTEGRATION_DATA_DIR,
    readOnly: true,
    uiHost: process.env.INTEGRATION_HOST,
    uiPort: Number(process.env.INTEGRATION_PORT),
    httpAdminRoot: false,
    httpRequestTimeout: 20000 / scale,
    functionExternalModules: true,
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: "warn", metrics: false, audit: false } },
};
