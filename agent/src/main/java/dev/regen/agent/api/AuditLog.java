package dev.regen.agent.api;

import dev.regen.agent.jobs.JsonLines;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit log in a file, bounded as {@link JsonLines} says. What it was told of survives a power
 * cut. Of those who are refused again and again it has the first ones and then few, lest they push
 * out what was done.
 */
public final class AuditLog implements Audit {
  private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);
  private static final long FILE_BYTES_MAX = 8 << 20;

  private static final double REFUSED_PER_SECOND = 0.1;
  private static final int REFUSED_BURST = 50;

  private final JsonLines lines;
  private final RateLimit refused = new RateLimit(REFUSED_PER_SECOND, REFUSED_BURST);
  private final InstantSource clock;

  public AuditLog(Disk disk, Path home, InstantSource clock) {
    this.lines = new JsonLines(disk, home, "audit.jsonl", FILE_BYTES_MAX, true);
    this.clock = clock;
  }

  @Override
  public void record(Entry entry) {
    boolean isRefusal = entry.status() == 401 || entry.status() == 403;
    Principal who = entry.who();
    // Those without a name together, whatever addresses they have.
    if (isRefusal && refused.take(who == null ? "" : who.name()) != null) {
      LOG.debug("refused once more, and not kept: {}", entry);
      return;
    }
    JsonObject json = new JsonObject().with("time", clock.instant().truncatedTo(ChronoUnit.MILLIS));
    entry.json().members().forEach(json::with);
    try {
      lines.append(json);
    } catch (IOException e) {
      LOG.warn("the audit log could not be written: {}; what it lacks: {}", Why.of(e), json);
    }
  }

  /** The newest {@code most} of those with a number below {@code before}, oldest first. */
  public List<JsonObject> newest(long before, int most) throws IOException {
    return lines.newest(before, most, _ -> true);
  }
}
