package dev.regen.agent.hook;

import dev.regen.runtime.oci.CrashingDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A one-shot hook that dies as by {@code kill -9} before the n-th change it makes to the disk; n is
 * the system property {@code regen.crashAt}. Then the file {@code regen.crashed} is there.
 */
public final class CrashingHook {
  private static final int KILLED = 137;

  private CrashingHook() {}

  public static void main(String[] arguments) throws IOException {
    Path mark = Path.of(System.getProperty("regen.crashed"));
    System.out.println(
        OneShot.call(
                CrashingDisk.dyingAt(Integer.getInteger("regen.crashAt"), () -> die(mark)),
                arguments,
                System.getenv())
            .line());
  }

  private static void die(Path mark) {
    try {
      Files.write(mark, new byte[0]);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    Runtime.getRuntime().halt(KILLED);
  }
}
