package dev.regen.agent.observe;

import dev.regen.snapshot.remote.ServerProbe;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether each server of a store answers. Nobody is asked but while somebody asks for the metrics,
 * and then at most every {@link #EVERY}.
 */
public final class StoreHealth implements Closeable {
  private static final Duration EVERY = Duration.ofSeconds(10);
  private static final double NANOS = 1e9;
  private static final Logger LOG = LoggerFactory.getLogger(StoreHealth.class);

  private final ServerProbe probe;
  private final ReentrantLock asking = new ReentrantLock();
  private volatile List<ServerProbe.Answer> last = List.of();
  private long askedAtNanos = System.nanoTime() - EVERY.toNanos();

  private StoreHealth(ServerProbe probe) {
    this.probe = probe;
  }

  /** Adds what is known of the servers of {@code url}. */
  public static StoreHealth of(StoreUrl url, Exposition to) {
    StoreHealth health = new StoreHealth(new ServerProbe(url));
    to.gauge(
        "regen_store_server_up",
        "Whether a server of the store answers, and takes this host's credentials.",
        told -> health.now().forEach(answer -> told.call(answer.up() ? 1 : 0, answer.server())),
        "server");
    to.gauge(
        "regen_store_server_seconds",
        "So long a server of the store took to answer a small question, or not to.",
        told ->
            health
                .now()
                .forEach(answer -> told.call(answer.took().toNanos() / NANOS, answer.server())),
        "server");
    return health;
  }

  private List<ServerProbe.Answer> now() {
    // Whoever comes while another asks is told what was known before.
    if (asking.tryLock()) {
      try {
        if (System.nanoTime() - askedAtNanos >= EVERY.toNanos()) {
          List<ServerProbe.Answer> now = probe.ask();
          tell(now);
          last = now;
          askedAtNanos = System.nanoTime();
        }
      } finally {
        asking.unlock();
      }
    }
    return last;
  }

  private void tell(List<ServerProbe.Answer> now) {
    for (ServerProbe.Answer answer : now) {
      boolean was =
          last.stream()
              .filter(before -> before.server().equals(answer.server()))
              .allMatch(ServerProbe.Answer::up);
      if (was && !answer.up()) {
        LOG.warn("the store's server {} does not serve: {}", answer.server(), answer.why());
      } else if (!was && answer.up()) {
        LOG.info("the store's server {} serves again", answer.server());
      }
    }
  }

  @Override
  public void close() throws IOException {
    probe.close();
  }
}
