// No validator: it would send the document's address to somebody else's server.
SwaggerUIBundle({
  url: document.body.dataset.document,
  dom_id: "#api",
  deepLinking: true,
  persistAuthorization: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
