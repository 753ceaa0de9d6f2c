package dev.regen.agent.jobs;

import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.layer.BadLayerException;
import java.io.IOException;
import java.util.concurrent.CancellationException;

/**
 * Whether an operation failed for what it was given, or because there was too little of something.
 */
final class Capacity {
  private Capacity() {}

  /**
   * What came of an operation that ended with {@code cause}. A time-out, a server that is away or
   * answers 429, 503 or 507, an engine that is away, a full disk and a full memory are a lack of
   * capacity, and so is any failure of input and output that says nothing else.
   */
  static Batches.Outcome outcome(Throwable cause) {
    boolean lacked =
        DiskFullException.behind(cause).isPresent()
            || switch (cause) {
              case RegenException _ -> false;
              case EngineException.Away _ -> true;
              case EngineException.Refused e ->
                  String.valueOf(e.getMessage()).contains("no space left");
              case BadLayerException _ -> false;
              case CancellationException _ -> false;
              case IOException _ -> true;
              case OutOfMemoryError _ -> true;
              default -> false;
            };
    return lacked ? Batches.Outcome.LACKED_CAPACITY : Batches.Outcome.FAILED_OTHERWISE;
  }
}
