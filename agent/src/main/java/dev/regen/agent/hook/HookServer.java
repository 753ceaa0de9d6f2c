package dev.regen.agent.hook;

import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import dev.regen.runtime.oci.RuntimeExtension;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Fifo;
import dev.regen.runtime.os.MountNamespace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers the {@code sh} front: one line on the named pipe {@code run/hook} is a call, the answer
 * goes to the pipe {@code run/reply.PID} that the caller made.
 *
 * <p>A caller that has gone is not waited for; its call is carried out all the same, and whoever
 * comes next finds it done.
 */
public final class HookServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HookServer.class);
  private static final int LINE_MAX_BYTES = 4096;
  private static final int CALLS_AT_ONCE = 8;
  private static final int REPLY_TRIES = 200;
  private static final int REPLY_PAUSE_MILLIS = 5;
  private static final String STOP = "stop";

  /** No answer to a front that sees another home, which then starts a process of its own. */
  private static final String ELSEWHERE = "elsewhere";

  private final Path run;
  private final Views views;
  private final RuntimeExtension extension;
  private final Runnable afterCall;
  private final HookWatch watch;
  private final ExecutorService workers;
  private final Fd hook;
  private final Thread reader;

  /**
   * Makes the pipe and begins to read it.
   *
   * @param afterCall told after each call, since the spool may hold something new
   * @param watch told of each call once its answer is known
   */
  public HookServer(
      Path run, Views views, RuntimeExtension extension, Runnable afterCall, HookWatch watch)
      throws IOException {
    this.run = run;
    this.views = views;
    this.extension = extension;
    this.afterCall = afterCall;
    this.watch = watch;
    Path pipe = run.resolve("hook");
    Files.deleteIfExists(pipe);
    Fifo.make(pipe, 0600);
    // Open for writing too, so that the pipe never ends while no front is writing.
    this.hook = Fd.open(Fd.bytes(pipe), Fd.RDWR, 0);
    this.workers =
        Executors.newFixedThreadPool(
            CALLS_AT_ONCE, Thread.ofPlatform().daemon().name("hook-", 0).factory());
    this.reader = Thread.ofPlatform().daemon().name("hook-reader").start(this::readCalls);
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(run.resolve("hook"));
      hook.write(direct(STOP + "\n"));
      reader.join();
    } catch (IOException e) {
      LOG.warn("the hook pipe was not closed: {}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    workers.shutdown();
    hook.close();
  }

  private void readCalls() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    StringBuilder line = new StringBuilder();
    while (true) {
      try {
        buffer.clear();
        hook.read(buffer);
        buffer.flip();
      } catch (IOException e) {
        LOG.error(
            "the hook pipe cannot be read; hooks start a process of their own: {}", e.getMessage());
        return;
      }
      while (buffer.hasRemaining()) {
        char c = (char) (buffer.get() & 0xFF);
        if (c != '\n') {
          line.append(c);
        } else if (line.toString().equals(STOP)) {
          return;
        } else {
          String call = line.toString();
          workers.execute(() -> answer(call));
          line.setLength(0);
        }
        if (line.length() > LINE_MAX_BYTES) {
          line.setLength(0);
        }
      }
    }
  }

  private void answer(String latin1) {
    String line = new String(latin1.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    String[] fields = line.split("\t", -1);
    try {
      long pid = Long.parseLong(fields[0]);
      HookCall call = HookCall.parse(Arrays.copyOfRange(fields, 1, fields.length));
      Path pipe = run.resolve("reply." + pid);
      MountNamespace theirs = namespaceOf(pid);
      if (theirs == null) {
        reply(pipe, handle(call, pipe).line());
      } else if (views.has(theirs)) {
        reply(pipe, theirs.call(() -> handle(call, pipe)).line());
      } else {
        reply(pipe, ELSEWHERE);
        return;
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("hook call '{}' failed", line, e);
    }
    afterCall.run();
  }

  private Answer handle(HookCall call, Path pipe) {
    long begin = System.nanoTime();
    Answer answer = null;
    try {
      answer = extension.handle(call, () -> Files.exists(pipe));
      return answer;
    } finally {
      watch.called(call.verb(), answer, Duration.ofNanos(System.nanoTime() - begin));
    }
  }

  /**
   * The mount namespace of a caller, or null if it is the agent's own. What an engine with mounts
   * of its own has to have changed must be changed there.
   */
  private static @Nullable MountNamespace namespaceOf(long pid) throws IOException {
    MountNamespace theirs;
    try {
      theirs = MountNamespace.of(pid);
    } catch (IOException e) {
      return null; // It has gone, or the host hides it; its call is carried out all the same.
    }
    return theirs.name().equals(MountNamespace.own().name()) ? null : theirs;
  }

  /** The caller opens its pipe for reading right after it wrote the call. */
  private static void reply(Path pipe, String line) throws IOException {
    for (int i = 0; i < REPLY_TRIES; i++) {
      try (Fd reply = Fd.open(Fd.bytes(pipe), Fd.WRONLY | Fd.NONBLOCK | Fd.NOFOLLOW, 0)) {
        reply.write(direct(line + "\n"));
        return;
      } catch (ErrnoException e) {
        if (e.is(ErrnoException.ENOENT)) {
          return;
        }
        pause();
      }
    }
    LOG.warn("nobody reads {}; the call was carried out", pipe);
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(REPLY_PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static ByteBuffer direct(String text) {
    byte[] bytes = Fd.bytes(text);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }
}
