package dev.regen.agent.registry;

import dev.regen.agent.api.ApiHandler;
import dev.regen.agent.api.ApiLimits;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.FleetCallers;
import dev.regen.agent.tcp.Exchange;
import dev.regen.snapshot.registry.RegistryException;
import java.security.cert.X509Certificate;
import java.util.List;
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

  /** Of one principal: somebody may ask something of each node of a fleet. */
  private static final int REQUESTS_PER_SECOND = 500;

  private final @Nullable Handler registry;
  private final @Nullable Handler fleet;
  private final boolean certificateForRegistry;

  /**
   * @param certificateForRegistry whether the registry is for clients with a certificate alone
   */
  ManagerHandler(
      @Nullable Handler registry, @Nullable Fleet fleet, boolean certificateForRegistry) {
    this.registry = registry;
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

  private static Handler api(Fleet fleet) {
    FleetCallers callers = fleet.callers();
    return new ApiHandler(
        fleet.routes(),
        request ->
            callers.of(
                Request.getPathInContext(request),
                request.getHeaders().get(HttpHeader.AUTHORIZATION),
                certificates(request)),
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
