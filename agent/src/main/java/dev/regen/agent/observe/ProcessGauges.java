package dev.regen.agent.observe;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Prometheus' own clients tell of every process, under their names. */
public final class ProcessGauges {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+([0-9]+) kB");
  private static final double KIB = 1024;
  private static final double MILLIS = 1e3;

  private ProcessGauges() {}

  public static void addTo(Exposition to) {
    String version = ProcessGauges.class.getPackage().getImplementationVersion();
    to.gauge(
        "regen_build_info",
        "1, for the version.",
        told -> told.call(1, version == null ? "unknown" : version),
        "version");
    to.gauge(
        "process_start_time_seconds",
        "When the process began, in seconds since 1970.",
        () -> ManagementFactory.getRuntimeMXBean().getStartTime() / MILLIS);
    to.gauge(
        "process_resident_memory_bytes",
        "Its memory.",
        told -> {
          Matcher resident =
              RESIDENT.matcher(Files.readString(STATUS, StandardCharsets.ISO_8859_1));
          if (resident.find()) {
            told.call(Long.parseLong(resident.group(1)) * KIB);
          }
        });
  }
}
