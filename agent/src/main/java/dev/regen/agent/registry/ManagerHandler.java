package dev.regen.agent.registry;

import dev.regen.agent.api.ApiHandler;
import dev.regen.agent.api.ApiLimits;
import dev.regen.agent.api.LimitedCallers;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.FleetCallers;
import dev.regen.agent.observe.Exposition;
import dev.regen.agent.observe.ManagerMetrics;
import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.registry.RegistryException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** A registry, a fleet, or both on one port: each has paths of its own. */
final class ManagerHandler extends Handler.Sequence {
  private static final String FLEET = "/v1/";
  private static final String METRICS = "/metrics";
  private static final Pattern KIND =
      Pattern.compile(
          "/v2/.*/(?:(blobs/uploads)(?:/.*)?|(blobs)/[^/]*|(manifests)/[^/]*|(tags)/list)");

  /** Of one principal: somebody may ask something of each node of a fleet. */
  private static final int REQUESTS_PER_SECOND = 500;

  private final @Nullable Handler registry;
  private final @Nullable Handler fleet;
  private final boolean certificateForRegistry;
  private final Exposition exposition;
  private final ManagerMetrics metrics;
  private final @Nullable FleetCallers callers;
  private final @Nullable Access access;

  /**
   * @param access who may use the registry, null for everybody; only they may see the metrics
   * @param certificateForRegistry whether the registry is for clients with a certificate alone
   */
  ManagerHandler(
      @Nullable Handler registry,
      @Nullable Fleet fleet,
      @Nullable Access access,
      boolean certificateForRegistry,
      Exposition exposition) {
    this.registry = registry;
    this.access = access;
    this.exposition = exposition;
    this.metrics = new ManagerMetrics(exposition);
    this.callers = fleet == null ? null : fleet.callers();
    this.fleet = fleet == null ? null : api(fleet);
    this.certificateForRegistry = certificateForRegistry;
    for (Handler handler : new Handler[] {this.registry, this.fleet}) {
      if (handler != null) {
        addHandler(handler);
      }
    }
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    String path = Request.getPathInContext(request);
    long begin = System.nanoTime();
    Request.addCompletionListener(
        request,
        _ ->
            metrics.asked(
                kind(path),
                response.getStatus(),
                Duration.ofNanos(System.nanoTime() - begin),
                Request.getContentBytesRead(request),
                Response.getContentBytesWritten(response)));
    if (path.equals(METRICS)) {
      metrics(new Exchange(request, response, callback));
      return true;
    }
    return route(request, response, callback);
  }

  /** For a user of the registry, or of the fleet; for everybody where the registry is. */
  private void metrics(Exchange exchange) {
    try {
      require(exchange);
      if (!exchange.method().equals("GET")) {
        exchange.set("Allow", "GET");
        throw new StatusException(405, "this answers GET alone");
      }
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      exposition.write(text);
      exchange.answer(200, Exposition.CONTENT_TYPE, text.toByteArray());
    } catch (ProblemException e) {
      problem(
              e.failure().code().status(),
              RegistryException.Code.UNAUTHORIZED,
              e.failure().message())
          .answer(exchange);
    } catch (IOException e) {
      RegistryProblem.of(e).answer(exchange);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.callback().failed(e);
    }
  }

  private void require(Exchange exchange) throws IOException, InterruptedException {
    String authorization = exchange.request().getHeaders().get(HttpHeader.AUTHORIZATION);
    boolean bearer = authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7);
    if (callers != null && (bearer || access == null)) {
      var _ = callers.of(METRICS, authorization, certificates(exchange.request()));
    } else if (access != null) {
      var _ = access.check(exchange, new Target.Base());
    }
  }

  private static ManagerMetrics.Kind kind(String path) {
    Matcher form = KIND.matcher(path);
    if (!form.matches()) {
      return path.startsWith(FLEET) ? ManagerMetrics.Kind.FLEET : ManagerMetrics.Kind.OTHER;
    }
    if (form.group(1) != null) {
      return ManagerMetrics.Kind.UPLOAD;
    }
    if (form.group(2) != null) {
      return ManagerMetrics.Kind.BLOB;
    }
    return form.group(3) != null ? ManagerMetrics.Kind.MANIFEST : ManagerMetrics.Kind.TAGS;
  }

  private boolean route(Request request, Response response, Callback callback) throws Exception {
    if (fleet != null && Request.getPathInContext(request).startsWith(FLEET)) {
      return fleet.handle(request, response, callback);
    }
    Handler handler = registry;
    if (handler == null) {
      problem(404, RegistryException.Code.UNSUPPORTED, "there is no registry here")
          .answer(new Exchange(request, response, callback));
      return true;
    }
    if (certificateForRegistry && certificates(request).isEmpty()) {
      problem(403, RegistryException.Code.DENIED, "this registry is for clients with a certificate")
          .answer(new Exchange(request, response, callback));
      return true;
    }
    return handler.handle(request, response, callback);
  }

  /** Whether a request that is no proper one was meant for the fleet. */
  static boolean isOfFleet(Exchange exchange) {
    String path = exchange.request().getHttpURI().getPath();
    return path != null && path.startsWith(FLEET);
  }

  private static Handler api(Fleet fleet) {
    FleetCallers callers = fleet.callers();
    return new ApiHandler(
        fleet.routes(),
        new LimitedCallers(request ->
            callers.of(
                Request.getPathInContext(request),
                request.getHeaders().get(HttpHeader.AUTHORIZATION),
                certificates(request))),
        ApiLimits.REMOTE.withRequestsPerSecond(REQUESTS_PER_SECOND));
  }

  /** Those that the client has shown and that were checked. */
  private static List<X509Certificate> certificates(Request request) {
    EndPoint.SslSessionData session =
        request.getConnectionMetaData().getConnection().getEndPoint().getSslSessionData();
    X509Certificate[] shown = session == null ? null : session.peerCertificates();
    return shown == null ? List.of() : List.of(shown);
  }

  private static RegistryProblem problem(int status, RegistryException.Code code, String message) {
    return new RegistryProblem(status, code, message, null);
  }
}
