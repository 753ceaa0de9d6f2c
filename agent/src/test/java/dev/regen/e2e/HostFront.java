package dev.regen.e2e;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** The runtime extension as it is installed on a {@link Host}: front, settings, one-shot JVM. */
final class HostFront {
  private static final String FRONT = "runtime/src/main/sh/regen-runtime";
  private static final String FOR_A_TEST = " # for a test";

  private final Path root;
  private final Path java;

  /**
   * A front in {@code root}.
   *
   * @param java the JVM of one-shot hooks
   */
  HostFront(Path root, Path java) {
    this.root = root;
    this.java = java;
  }

  /** Installs it, and writes {@code daemon.json} with {@code settings} and the runtime. */
  void install(List<String> places, String classpath, JsonObject settings) throws IOException {
    Path bin = Files.createDirectories(root.resolve("bin"));
    Path front = bin.resolve("regen-runtime");
    Files.copy(Host.repository().resolve(FRONT), front, StandardCopyOption.REPLACE_EXISTING);
    Files.setPosixFilePermissions(front, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> conf = new ArrayList<>(List.of("REGEN_RUNC=$(command -v runc)"));
    conf.addAll(places);
    conf.add("REGEN_JAVA=" + hookJava());
    conf.add(
        "REGEN_JAVA_OPTIONS='-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
            + " --enable-native-access=ALL-UNNAMED'");
    conf.add("REGEN_CLASSPATH=" + classpath);
    Files.write(root.resolve("runtime.conf"), conf);
    Files.createSymbolicLink(hookJava(), java);
    JsonObject runtime =
        new JsonObject().with("regen", new JsonObject().with("path", front.toString()));
    Files.writeString(root.resolve("daemon.json"), settings.with("runtimes", runtime).toString());
  }

  /** See {@link Host#inFront}. */
  void first(String shell) throws IOException {
    Path conf = root.resolve("runtime.conf");
    List<String> lines = new ArrayList<>(Files.readAllLines(conf));
    lines.removeIf(line -> line.endsWith(FOR_A_TEST));
    if (!shell.isEmpty()) {
      lines.add(shell + FOR_A_TEST);
    }
    Files.write(conf, lines);
  }

  /** See {@link Host#killHooks}. */
  void killHooks(String verb, int crashAt, boolean everyOne) throws IOException {
    Files.deleteIfExists(killed());
    String script =
        """
        #!/bin/sh
        case %b,$(ls %s 2>/dev/null)," $* " in false,/*) exec %s "$@" ;; *' %s '*) ;; *) exec %s "$@" ;; esac
        for word do
          shift
          [ "$word" != dev.regen.agent.hook.OneShot ] || word=dev.regen.agent.hook.CrashingHook
          set -- "$@" "$word"
        done
        exec %s -Dregen.crashAt=%d -Dregen.crashed=%s "$@"
        """
            .formatted(everyOne, killed(), java, verb, java, java, crashAt, killed());
    Files.deleteIfExists(hookJava());
    Files.writeString(hookJava(), script);
    Files.setPosixFilePermissions(hookJava(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  boolean isHookKilled() {
    return Files.exists(killed());
  }

  /** Whether {@code directory} is the repository that holds the front. */
  static boolean isIn(Path directory) {
    return Files.exists(directory.resolve(FRONT));
  }

  private Path killed() {
    return root.resolve("hook-killed");
  }

  private Path hookJava() {
    return root.resolve("bin/java");
  }
}
