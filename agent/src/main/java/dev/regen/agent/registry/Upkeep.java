package dev.regen.agent.registry;

import dev.regen.runtime.Why;
import dev.regen.snapshot.care.Pauses;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryCollection;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a manager does beside serving: it collects what nobody needs, while it serves. */
final class Upkeep implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);

  /** Well within what a store waits for those who count on it. */
  private static final Duration TURN_EVERY = Duration.ofMinutes(3);

  private static final Duration LOOK_EVERY = Duration.ofSeconds(10);
  private static final int TOLD_MAX = 1_000;
  private static final Duration FIRST_WITHIN = Duration.ofHours(1);

  private final RemoteStore store;
  private final Registry registry;
  private final Rules rules;
  private final InstantSource clock;
  private final Thread turning;
  private final @Nullable Thread collecting;
  private final Set<String> told = new HashSet<>();
  private volatile boolean closed;

  /**
   * What a collection did.
   *
   * @param registry what of the registry went
   * @param store what chunks went, of others' records too
   */
  record Collected(RegistryCollection.Result registry, StoreCollection.Result store) {
    String words() {
      return registry.tags()
          + " tags, "
          + registry.manifests()
          + " manifests, "
          + registry.blobs()
          + " blobs and "
          + registry.uploads()
          + " uploads went by the rules; "
          + store.deleted()
          + " of "
          + store.chunks()
          + " chunks deleted, "
          + store.left()
          + " that are not needed left for the next time"
          + (registry.unreadable().isEmpty()
              ? ""
              : "; nobody can say what is needed in "
                  + registry.unreadable()
                  + ": of these no blob went");
    }
  }

  /**
   * Begins.
   *
   * @param every how often it collects; null: never
   */
  Upkeep(
      RemoteStore store,
      Registry registry,
      Rules rules,
      InstantSource clock,
      @Nullable Duration every) {
    this.store = store;
    this.registry = registry;
    this.rules = rules;
    this.clock = clock;
    turning = Thread.ofPlatform().daemon().name("turning").start(this::turnAgainAndAgain);
    collecting =
        every == null
            ? null
            : Thread.ofPlatform().daemon().name("collecting").start(() -> collectEach(every));
  }

  /** Collects now. */
  static Collected collect(
      RemoteStore store,
      Registry registry,
      Rules rules,
      InstantSource clock,
      TransferProgress progress)
      throws IOException {
    RegistryCollection.Result gone =
        new RegistryCollection(store, registry, clock)
            .run((RepositoryName name) -> rules.retention(name), progress);
    StoreCollection.Result chunks =
        new StoreCollection(store, clock, Pauses.REAL).run(StoreCollection.GRACE, progress);
    return new Collected(gone, chunks);
  }

  @Override
  public void close() {
    closed = true;
    turning.interrupt();
    if (collecting != null) {
      collecting.interrupt();
    }
  }

  /** What the store bore since it was opened: a server that was passed over, copies too few. */
  private void tellTroubles() {
    for (String trouble : store.troubles()) {
      if (told.size() < TOLD_MAX && told.add(trouble)) {
        LOG.warn(
            "the store: {}; when all servers answer, 'regen storage rebalance' makes the copies"
                + " that are missing",
            trouble);
      }
    }
  }

  private void turnAgainAndAgain() {
    long turned = System.nanoTime();
    try {
      while (!closed) {
        Thread.sleep(LOOK_EVERY);
        tellTroubles();
        if (System.nanoTime() - turned < TURN_EVERY.toNanos()) {
          continue;
        }
        turned = System.nanoTime();
        try {
          registry.turn();
        } catch (InterruptedIOException e) {
          return;
        } catch (IOException e) {
          LOG.warn("the store's lease was not begun anew: {}", Why.of(e));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void collectEach(Duration every) {
    TransferProgress progress =
        new TransferProgress() {
          @Override
          public boolean cancelled() {
            return closed;
          }
        };
    try {
      // One that is started anew each day collects too.
      Thread.sleep(every.compareTo(FIRST_WITHIN) < 0 ? every : FIRST_WITHIN);
      for (; !closed; Thread.sleep(every)) {
        if (rules.isWritable()) {
          try {
            LOG.info("collected: {}", collect(store, registry, rules, clock, progress).words());
          } catch (InterruptedIOException | CancellationException e) {
            return;
          } catch (IOException | RuntimeException e) {
            LOG.warn("nothing more was collected: {}", Why.of(e));
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
