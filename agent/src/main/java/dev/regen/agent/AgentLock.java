package dev.regen.agent;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * {@code agent.pid}: names the agent's process, and is locked as long as that runs. The first line
 * is its id, the second when it began, in the kernel's ticks: the id alone may belong to another
 * process after a crash.
 */
final class AgentLock implements AutoCloseable {
  private final FileChannel channel;

  private AgentLock(FileChannel channel) {
    this.channel = channel;
  }

  static AgentLock take(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (tryLock(channel) == null) {
        throw new RegenException.Refused(
            "another agent runs already: it holds " + file + "; stop that one first");
      }
      // A pipe of an agent that was killed goes before this one says who it is: who finds this
      // process's id and a pipe has found this process's pipe.
      Files.deleteIfExists(file.resolveSibling("hook"));
      channel.truncate(0);
      String pid = ProcessHandle.current().pid() + "\n" + beganTicks() + "\n";
      channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
      return new AgentLock(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /**
   * Field 22 of {@code proc_pid_stat(5)}; the name before it is in brackets and may hold spaces.
   */
  private static String beganTicks() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19];
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }
}
