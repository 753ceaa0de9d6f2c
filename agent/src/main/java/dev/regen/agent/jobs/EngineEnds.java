package dev.regen.agent.jobs;

import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineEvent;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How runs ended, as the engine tells it: the exit code stands nowhere else, and the engine tells
 * it only after the hook that froze the layer has returned.
 */
public final class EngineEnds {
  private static final Logger LOG = LoggerFactory.getLogger(EngineEnds.class);
  private static final int EVENTS_MAX = 4096;

  private final Engine engine;
  private final BooleanSupplier connected;
  private final Deque<EngineEvent> events = new ArrayDeque<>();

  /**
   * @param connected whether the engine's events arrive at this moment
   */
  public EngineEnds(Engine engine, BooleanSupplier connected) {
    this.engine = engine;
    this.connected = connected;
  }

  /** Hears one of the engine's events. */
  public synchronized void hear(EngineEvent event) {
    events.addLast(event);
    if (events.size() > EVENTS_MAX) {
      events.removeFirst();
    }
    notifyAll();
  }

  /**
   * What the engine told about the end of {@code layer}'s run; waits for it at most {@code limit},
   * and not at all while the engine is away.
   */
  public ExitFacts facts(FrozenLayer layer, Duration limit) throws InterruptedException {
    ExitFacts told = await(layer, limit);
    if (told.exitCode() != null || !connected.getAsBoolean()) {
      return told;
    }
    return ask(layer, told);
  }

  private synchronized ExitFacts await(FrozenLayer layer, Duration limit)
      throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      ExitFacts told = told(layer);
      long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
      if (told.exitCode() != null || leftMillis <= 0 || !connected.getAsBoolean()) {
        return told;
      }
      wait(Math.min(leftMillis, 200));
    }
  }

  /** The first death after the freeze is that of this run: the engine tells it only afterwards. */
  private ExitFacts told(FrozenLayer layer) {
    Integer exitCode = null;
    boolean oom = false;
    int signal = 0;
    Iterator<EngineEvent> each = events.iterator();
    while (each.hasNext() && exitCode == null) {
      EngineEvent event = each.next();
      if (!event.container().equals(layer.container().value())) {
        continue;
      }
      switch (event.kind()) {
        case START -> {
          oom = false;
          signal = 0;
        }
        case KILL -> signal = signal == 0 ? event.signal() : signal;
        case OOM -> oom = true;
        case DIE -> exitCode = event.time().isBefore(layer.endedAt()) ? null : event.exitCode();
        case DESTROY -> {}
      }
    }
    return new ExitFacts(exitCode, oom, signal);
  }

  /** A container that was kept still tells how its last run ended. */
  private ExitFacts ask(FrozenLayer layer, ExitFacts told) {
    try {
      JsonObject container = engine.containerBriefly(layer.container().value()).orElse(null);
      JsonObject state = container == null ? null : container.objectOrNull("State");
      if (state == null || state.flag("Running") || !finishedAfter(state, layer.endedAt())) {
        return told;
      }
      int exitCode = Math.toIntExact(state.number("ExitCode"));
      return new ExitFacts(exitCode, told.oom() || state.flag("OOMKilled"), told.signal());
    } catch (EngineException.Away e) {
      return told;
    } catch (IOException | RuntimeException e) {
      LOG.debug("the engine did not tell how {} ended", layer.container(), e);
      return told;
    }
  }

  private static boolean finishedAfter(JsonObject state, Instant endedAt) throws IOException {
    @Nullable String finished = state.stringOrNull("FinishedAt");
    try {
      return finished != null && !Instant.parse(finished).isBefore(endedAt.minusSeconds(10));
    } catch (DateTimeParseException e) {
      return false;
    }
  }
}
