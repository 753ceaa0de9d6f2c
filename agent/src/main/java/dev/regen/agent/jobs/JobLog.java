package dev.regen.agent.jobs;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What must be known of jobs after a crash, in {@code jobs.log}: a line for each change, its CRC32C
 * and a JSON object with the job's {@code id} and the members that changed, null for one that is
 * gone. It is written anew, beside its name, when it holds mostly what is no longer so, and after
 * every failure.
 *
 * <p>A last line that is not whole was never confirmed to anybody, and is passed over. A damaged
 * line is passed over and told of. A disk that is full, or fails, keeps nobody from reading; {@link
 * #now} says that it could not record something, {@link #later} logs it.
 */
final class JobLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobLog.class);
  private static final String NAME = "jobs.log";
  private static final long FILE_BYTES_MAX = 64 << 20;
  private static final long COMPACT_AT_BYTES = 1 << 20;

  /** What a job returns may be longer than what is worth being kept of it. */
  private static final int RESULT_BYTES_MAX = 64 << 10;

  private static final int CRC_LENGTH = 8;

  private final Disk disk;
  private final Path file;
  private final Consumer<String> trouble;

  /** Held while the file is written; taken before this object's monitor. */
  private final ReentrantLock writing = new ReentrantLock();

  private long lasting;
  private long fileBytes;
  private long compactAtBytes = COMPACT_AT_BYTES;

  /** Whether the file ends with a whole line, so that more can be written behind it. */
  private boolean sound;

  private final Map<String, JsonObject> jobs = new LinkedHashMap<>();
  private final List<byte[]> pending = new ArrayList<>();
  private long added;
  private boolean closed;

  /**
   * Reads what is there.
   *
   * @param trouble is told, for a person, of what could not be read
   */
  JobLog(Disk disk, Path home, Consumer<String> trouble) {
    this.disk = disk;
    this.file = home.resolve(NAME);
    this.trouble = trouble;
    read();
  }

  /** All jobs as they were recorded, those that were recorded first coming first. */
  synchronized List<JsonObject> jobs() {
    return jobs.values().stream().map(JobLog::copy).toList();
  }

  /**
   * Records a change, which survives a power cut once this has returned.
   *
   * @throws IOException if it could not be recorded; where it was the first of its job, it will not
   *     be found later
   */
  void now(JsonObject change) throws IOException {
    boolean first;
    long mine;
    synchronized (this) {
      if (closed) {
        throw new IOException("the agent stops");
      }
      first = merge(change);
      mine = add(change);
    }
    writing.lock();
    try {
      if (lasting < mine) {
        write(true);
      }
    } catch (IOException e) {
      if (first) {
        takeBack(change.string("id"));
      }
      throw e;
    } finally {
      writing.unlock();
    }
  }

  /** Records a change at some time soon, if that is possible; waits for nothing. */
  void later(JsonObject change) {
    synchronized (this) {
      if (closed) {
        return;
      }
      merge(change);
      add(change);
    }
    Thread.ofVirtual().name("jobs-log").start(this::writeQuietly);
  }

  /** As {@link #now}, for what has happened already: if it cannot be recorded, the log says so. */
  void nowIfPossible(JsonObject change) {
    try {
      now(change);
    } catch (IOException e) {
      LOG.warn("what became of a job could not be recorded: {}", Why.of(e));
    }
  }

  /** Nothing needs to be known of these jobs any more. */
  synchronized void forget(String id) {
    jobs.remove(id);
  }

  /** Nothing is written from now on: another agent may have this file. */
  @Override
  public void close() {
    writing.lock();
    try {
      synchronized (this) {
        closed = true;
        pending.clear();
      }
    } finally {
      writing.unlock();
    }
  }

  private void read() {
    byte[] content;
    try {
      content = disk.read(file, FILE_BYTES_MAX);
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      trouble.accept("what jobs there were cannot be read: " + Why.of(e));
      return;
    }
    int damaged = 0;
    int from = 0;
    for (int to = 0; to < content.length; to++) {
      if (content[to] == '\n') {
        damaged += readLine(content, from, to) ? 0 : 1;
        from = to + 1;
      }
    }
    if (damaged > 0) {
      trouble.accept(damaged + " lines of " + file + " are damaged; what they said is lost");
    }
  }

  private boolean readLine(byte[] content, int from, int to) {
    int begin = from + CRC_LENGTH + 1;
    if (begin >= to || !crc(content, begin, to - begin).equals(text(content, from, CRC_LENGTH))) {
      return false;
    }
    try {
      JsonObject change = JsonObject.parse(text(content, begin, to - begin));
      change.string("id");
      merge(change);
      return true;
    } catch (IOException e) {
      LOG.debug("a line of {} is no change of a job", file, e);
      return false;
    }
  }

  /** Whether nothing was known of the job before. */
  private boolean merge(JsonObject change) {
    Object id = change.members().get("id");
    JsonObject job = jobs.get(String.valueOf(id));
    boolean first = job == null;
    if (job == null) {
      job = new JsonObject();
      jobs.put(String.valueOf(id), job);
    }
    for (Map.Entry<String, @Nullable Object> member : change.members().entrySet()) {
      if (member.getValue() == null) {
        job.members().remove(member.getKey());
      } else {
        job.with(member.getKey(), member.getValue());
      }
    }
    return first;
  }

  private long add(JsonObject change) {
    pending.add(line(change));
    return ++added;
  }

  private void writeQuietly() {
    writing.lock();
    try {
      write(false);
    } catch (IOException e) {
      LOG.warn("what becomes of jobs cannot be recorded: {}", Why.of(e));
    } finally {
      writing.unlock();
    }
  }

  private void write(boolean force) throws IOException {
    synchronized (this) {
      if (closed) {
        throw new IOException("the agent stops");
      }
    }
    if (!sound || fileBytes > compactAtBytes) {
      writeAnew();
      return;
    }
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    long upTo;
    synchronized (this) {
      pending.forEach(lines::writeBytes);
      pending.clear();
      upTo = added;
    }
    sound = false;
    if (lines.size() > 0) {
      disk.append(file, ByteBuffer.wrap(lines.toByteArray()));
      fileBytes += lines.size();
    }
    if (force) {
      disk.force(file);
      lasting = upTo;
    }
    sound = true;
  }

  private void writeAnew() throws IOException {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    long upTo;
    synchronized (this) {
      jobs.values().forEach(job -> lines.writeBytes(line(job)));
      pending.clear();
      upTo = added;
    }
    sound = false;
    new Records(disk).replace(file, lines.toByteArray());
    sound = true;
    lasting = upTo;
    fileBytes = lines.size();
    compactAtBytes = Math.max(COMPACT_AT_BYTES, 2 * fileBytes);
  }

  /** Whoever asked for the job is told that there is none, so there must be none later. */
  private void takeBack(String id) {
    forget(id);
    try {
      writeAnew();
    } catch (IOException e) {
      LOG.debug("the file of jobs is written anew later", e);
    }
  }

  private static byte[] line(JsonObject change) {
    JsonObject written = change;
    if (change.members().get("result") instanceof JsonObject result
        && result.bytes().length > RESULT_BYTES_MAX) {
      written = copy(change).with("result", new JsonObject().with("tooLong", true));
    }
    byte[] json = written.bytes();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    line.writeBytes(crc(json, 0, json.length).getBytes(StandardCharsets.US_ASCII));
    line.write(' ');
    line.writeBytes(json);
    line.write('\n');
    return line.toByteArray();
  }

  private static JsonObject copy(JsonObject object) {
    JsonObject copy = new JsonObject();
    object.members().forEach(copy::with);
    return copy;
  }

  private static String crc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  private static String text(byte[] bytes, int offset, int length) {
    return new String(bytes, offset, length, StandardCharsets.UTF_8);
  }
}
