package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.snapshot.publish.Publishing;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import java.io.IOException;
import java.util.List;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From HTTP to the resources; failures become the spec's errors here. */
final class RegistryHandler extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryHandler.class);

  private static final String READ = "GET, HEAD";

  private final Access access;
  private final Rules rules;
  private final BlobResource blobs;
  private final UploadResource uploads;
  private final ManifestResource manifests;
  private final ListResource lists;
  private final TokenResource tokens;
  private final PublishResource publish;

  RegistryHandler(Registry registry, Publishing publishing, Access access, Rules rules) {
    this.access = access;
    this.rules = rules;
    this.blobs = new BlobResource(registry, rules);
    this.uploads = new UploadResource(registry, rules);
    this.manifests = new ManifestResource(registry, rules);
    this.lists = new ListResource(registry);
    this.tokens = new TokenResource(access);
    this.publish = new PublishResource(registry, publishing, rules);
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Exchange exchange = new Exchange(request, response, callback);
    exchange.set("Docker-Distribution-API-Version", "registry/2.0");
    try {
      route(exchange, Request.getPathInContext(request));
    } catch (RequestBody.TooLong e) {
      new RegistryProblem(
              413, RegistryException.Code.SIZE_INVALID, String.valueOf(e.getMessage()), null)
          .answer(exchange);
    } catch (IOException | RuntimeException e) {
      RegistryProblem problem = RegistryProblem.of(e);
      if (problem.status() >= 500) {
        LOG.warn("{} {}: {}", request.getMethod(), request.getHttpURI().getPath(), e.toString());
      }
      problem.answer(exchange);
    }
    return true;
  }

  private void route(Exchange exchange, String path) throws IOException {
    if (path.equals(TokenResource.PATH)) {
      tokens.answer(exchange);
      return;
    }
    Target target = Target.of(path);
    Access.Rights rights = access.check(exchange, target);
    if (isChange(exchange.method())) {
      rules.requireWritable();
    }
    switch (target) {
      case Target.Base _ -> base(exchange);
      case Target.Catalog _ -> {
        requireOneOf(exchange, READ);
        lists.catalog(exchange, rights);
      }
      case Target.TagList list -> {
        requireOneOf(exchange, READ);
        lists.tags(exchange, list.repository());
      }
      case Target.Referrers referrers -> {
        requireOneOf(exchange, READ);
        manifests.referrers(exchange, referrers.repository(), referrers.digest());
      }
      case Target.Manifest manifest -> manifest(exchange, manifest);
      case Target.Blob blob -> blob(exchange, blob, rights);
      case Target.Uploads into -> {
        requireOneOf(exchange, "POST");
        uploads.post(exchange, into.repository(), rights);
      }
      case Target.Upload upload -> upload(exchange, upload);
      case Target.Publish into -> {
        requireOneOf(exchange, "POST");
        publish.post(exchange, into.repository());
      }
    }
  }

  /** Whether a request wants to change something. */
  static boolean isChange(String method) {
    return !method.equals("GET") && !method.equals("HEAD");
  }

  private static void base(Exchange exchange) throws IOException {
    requireOneOf(exchange, READ);
    exchange.answer(200, "application/json", new byte[] {'{', '}'});
  }

  private void manifest(Exchange exchange, Target.Manifest manifest) throws IOException {
    switch (exchange.method()) {
      case "GET", "HEAD" -> manifests.get(exchange, manifest.repository(), manifest.reference());
      case "PUT" -> manifests.put(exchange, manifest.repository(), manifest.reference());
      case "DELETE" -> manifests.delete(exchange, manifest.repository(), manifest.reference());
      default -> throw unsupported(exchange, "GET, HEAD, PUT, DELETE");
    }
  }

  private void blob(Exchange exchange, Target.Blob blob, Access.Rights rights) throws IOException {
    switch (exchange.method()) {
      case "GET" -> blobs.get(exchange, blob.repository(), UploadResource.digest(blob.digest()));
      case "HEAD" ->
          blobs.head(
              exchange,
              blob.repository(),
              UploadResource.digest(blob.digest()),
              rules.isWritable() && rights.may(blob.repository(), Access.Right.PUSH));
      case "DELETE" ->
          blobs.delete(exchange, blob.repository(), UploadResource.digest(blob.digest()));
      default -> throw unsupported(exchange, "GET, HEAD, DELETE");
    }
  }

  private void upload(Exchange exchange, Target.Upload upload) throws IOException {
    switch (exchange.method()) {
      case "GET" -> uploads.get(exchange, upload.repository(), upload.id());
      case "PATCH" -> uploads.patch(exchange, upload.repository(), upload.id());
      case "PUT" -> uploads.put(exchange, upload.repository(), upload.id());
      case "DELETE" -> uploads.delete(exchange, upload.repository(), upload.id());
      default -> throw unsupported(exchange, "GET, PATCH, PUT, DELETE");
    }
  }

  private static void requireOneOf(Exchange exchange, String methods) throws IOException {
    if (!List.of(methods.split(", ", -1)).contains(exchange.method())) {
      throw unsupported(exchange, methods);
    }
  }

  private static RegistryException unsupported(Exchange exchange, String methods) {
    exchange.set("Allow", methods);
    return new RegistryException(
        RegistryException.Code.UNSUPPORTED, exchange.method() + " is not done here");
  }
}
