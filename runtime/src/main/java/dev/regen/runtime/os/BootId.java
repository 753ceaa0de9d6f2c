package dev.regen.runtime.os;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which boot of the host this is: what another one left may not have reached the disk. */
public final class BootId {
  private BootId() {}

  /** 36 characters, never the same again ({@code proc_sys_kernel(5)}). */
  public static String read() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }
}
