package dev.regen.agent.storage;

import dev.regen.agent.tcp.Bodies;
import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.DirectoryRemote;
import java.io.IOException;
import java.nio.file.Files;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From HTTP to the resources; failures become problem details here. */
final class StorageHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(StorageHandler.class);
  private static final String CHUNK = "/v1/chunks/sha256/";
  private static final String RECORD = "/v1/records/";

  /** Room for the longest record and some chunks beside it. */
  private static final int BODY_BYTES_MAX = 96 << 20;

  private final DirectoryRemote store;
  private final StorageOptions options;
  private final Token token;
  private final ChunkResource chunks;
  private final BatchResource batches;
  private final RecordResource records;

  StorageHandler(DirectoryRemote store, StorageOptions options) {
    Bodies bodies = new Bodies(BODY_BYTES_MAX);
    this.store = store;
    this.options = options;
    this.token = new Token(options.token());
    ChunkMemory memory = new ChunkMemory();
    this.chunks = new ChunkResource(store, bodies, memory);
    this.batches = new BatchResource(store, bodies, memory);
    this.records = new RecordResource(store, bodies);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Exchange exchange = new Exchange(request, response, callback);
    try {
      token.check(request);
      route(exchange, Request.getPathInContext(request));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      callback.failed(e);
    } catch (IOException | RuntimeException e) {
      Problem problem = Problem.of(e);
      if (problem.status() >= 500) {
        LOG.warn("{} {}: {}", request.getMethod(), request.getHttpURI().getPath(), e.toString());
      }
      problem.answer(exchange);
    }
    return true;
  }

  private void route(Exchange exchange, String path) throws IOException, InterruptedException {
    String method = exchange.method();
    if (path.startsWith(CHUNK)) {
      chunk(exchange, new Digest(path.substring(CHUNK.length())));
    } else if (path.startsWith(RECORD)) {
      record(exchange, path.substring(RECORD.length()));
    } else if (path.equals("/v1/missing") && method.equals("POST")) {
      chunks.missing(exchange);
    } else if (path.equals("/v1/chunks") && method.equals("GET")) {
      chunks.list(exchange);
    } else if (path.equals("/v1/chunks") && method.equals("POST")) {
      batches.put(exchange);
    } else if (path.equals("/v1/chunks/get") && method.equals("POST")) {
      batches.get(exchange);
    } else if (path.equals("/v1/chunks/delete") && method.equals("POST")) {
      batches.delete(exchange);
    } else if (path.equals("/v1/records") && method.equals("GET")) {
      records.list(exchange);
    } else if (path.equals("/v1/status") && method.equals("GET")) {
      status(exchange);
    } else {
      throw new StatusException(404, "nothing answers " + method + " here");
    }
  }

  private void chunk(Exchange exchange, Digest digest) throws IOException, InterruptedException {
    switch (exchange.method()) {
      case "PUT" -> chunks.put(exchange, digest);
      case "GET" -> chunks.get(exchange, digest);
      case "HEAD" -> chunks.head(exchange, digest);
      case "DELETE" -> chunks.delete(exchange, digest);
      default -> throw notAllowed();
    }
  }

  private void record(Exchange exchange, String name) throws IOException, InterruptedException {
    switch (exchange.method()) {
      case "PUT" -> records.put(exchange, name);
      case "GET" -> records.get(exchange, name);
      case "DELETE" -> records.delete(exchange, name);
      default -> throw notAllowed();
    }
  }

  private void status(Exchange exchange) throws IOException {
    long quota = options.quotaBytes();
    JsonObject status =
        new JsonObject()
            .with("id", store.id())
            .with("chunks", store.chunkCount())
            .with("bytes", store.bytes())
            .with("quotaBytes", quota == Long.MAX_VALUE ? null : quota)
            .with("freeBytes", Files.getFileStore(options.directory()).getUsableSpace());
    exchange.answer(200, "application/json", status.bytes());
  }

  private static StatusException notAllowed() {
    return new StatusException(405, "this is not done here");
  }
}
