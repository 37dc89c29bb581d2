// @tus/server with its file store, as its README starts it. Prints a line once it listens on loopback.
// Usage: node tus_server.mjs FOLDER_WITH_NODE_MODULES FOLDER_FOR_UPLOADS PORT
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [home, directory, port] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(resolve(home), "node_modules", "@tus", name, "dist", "index.js")));
const { Server } = await load("server");
const { FileStore } = await load("file-store");

const server = new Server({ path: "/files", datastore: new FileStore({ directory }) });
server.listen({ host: "127.0.0.1", port: Number(port) }, () => console.log("listening"));
