package dev.regen.agent.jobs;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened, one JSON object a line in {@code events.jsonl}, the newest last.
 *
 * <p>At {@link #FILE_BYTES_MAX} the file becomes {@code events.jsonl.1} in place of the one before;
 * so at most twice that is kept. Events are not forced to the disk: a power cut may take the last
 * ones. Telling an event never fails; if it cannot be written, the log says so.
 */
public final class Events {
  public static final long FILE_BYTES_MAX = 4 << 20;
  private static final Logger LOG = LoggerFactory.getLogger(Events.class);

  private final Disk disk;
  private final Path file;
  private final Path older;
  private final InstantSource clock;
  private volatile Consumer<Event> listener = _ -> {};

  public Events(Disk disk, Path home, InstantSource clock) {
    this.disk = disk;
    file = home.resolve("events.jsonl");
    older = home.resolve("events.jsonl.1");
    this.clock = clock;
  }

  /** Tells {@code told}, which waits for nothing, of each event from now on. */
  public void listen(Consumer<Event> told) {
    listener = told;
  }

  /** Records an event and logs it. */
  public void tell(Event.Kind kind, @Nullable String queue, String message) {
    tell(kind.word(), queue, message);
  }

  /** Records an event of a kind that is not the agent's own, and logs it. */
  public synchronized void tell(String kind, @Nullable String queue, String message) {
    Event event = new Event(clock.instant().truncatedTo(ChronoUnit.MILLIS), kind, queue, message);
    LOG.info("{}{}: {}", event.kind(), queue == null ? "" : " " + queue, event.message());
    try {
      append(event);
    } catch (IOException e) {
      LOG.warn("the event could not be recorded: {}", e.getMessage());
    }
    listener.accept(event);
  }

  /**
   * The newest events, oldest of them first. Lines that cannot be read are left out.
   *
   * @param queue only this queue's, null for all
   * @param limit the most that are returned
   */
  public synchronized List<Event> newest(@Nullable String queue, int limit) throws IOException {
    List<Event> events = new ArrayList<>();
    for (Path part : List.of(older, file)) {
      read(part, queue, events);
    }
    return List.copyOf(events.subList(Math.max(0, events.size() - limit), events.size()));
  }

  private void append(Event event) throws IOException {
    byte[] line = (event.json() + "\n").getBytes(StandardCharsets.UTF_8);
    if (Files.exists(file) && Files.size(file) + line.length > FILE_BYTES_MAX) {
      disk.rename(file, older);
    }
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      channel.write(ByteBuffer.wrap(line));
    }
  }

  private void read(Path part, @Nullable String queue, List<Event> into) throws IOException {
    byte[] content;
    try {
      content = disk.read(part, 2 * FILE_BYTES_MAX);
    } catch (NoSuchFileException e) {
      return;
    }
    for (String line : new String(content, StandardCharsets.UTF_8).split("\n", -1)) {
      if (line.isBlank()) {
        continue;
      }
      try {
        Event event = Event.of(JsonObject.parse(line));
        if (queue == null || queue.equals(event.queue())) {
          into.add(event);
        }
      } catch (IOException e) {
        LOG.debug("a line of {} is no event", part, e);
      }
    }
  }
}
