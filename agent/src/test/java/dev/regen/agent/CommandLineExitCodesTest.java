package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the command line says and returns where it cannot do what it was asked to. */
final class CommandLineExitCodesTest extends AgentWithoutEngine {
  @Test
  void queueThatIsNotThereIsExitCodeThree() {
    for (List<String> command :
        List.of(
            List.of("ls", "none"),
            List.of("show", "none"),
            List.of("show", "none@latest"),
            List.of("pin", "none@-1"),
            List.of("rm", "none@latest"),
            List.of("keep", "none", "3"),
            List.of("export", "none@latest"),
            List.of("verify", "none"))) {
      Result result = regen(command.toArray(String[]::new));
      assertThat(result.code()).as("%s: %s", command, result.err()).isEqualTo(3);
      assertThat(result.err()).startsWith("regen: ").contains("none").hasLineCount(1);
    }
  }

  @Test
  void whatIsNamedAndNotThereIsExitCodeThree() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    for (List<String> command :
        List.of(
            List.of("export", "desk@latest", "-o", "/nonexist/x"),
            List.of("import", "desk", "/nonexist/x"),
            List.of("mount", "desk@latest", "/nonexist/x"),
            List.of("umount", "/nonexist/x"),
            List.of("key", "add", "/nonexist/x"),
            List.of("storage", "--dir", directory + "/s", "--token-file", "/nonexist/x"),
            List.of("storage", "--dir", directory + "/s", "--tls-cert", "/nonexist/x"),
            List.of("ls", "--store", "dir:/nonexist/x"))) {
      Result result = regen(command.toArray(String[]::new));
      assertThat(result.code()).as("%s: %s", command, result.err()).isEqualTo(3);
      assertThat(result.err()).startsWith("regen: ").contains("/nonexist").hasLineCount(1);
    }
    assertThat(regen("mount", "desk@latest", directory.toString()).code()).isEqualTo(4);
    assertThat(regen("mount", "desk@latest", "/proc").code()).isEqualTo(4);
  }

  @Test
  void timeBeforeTheFirstSnapshotIsExitCodeThree() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    assertThat(regen("show", "desk@2020-01-01T00:00:00Z").code()).isEqualTo(3);
    assertThat(regen("show", "desk@-1").err())
        .contains("holds one snapshot only, which is @latest");
  }

  @Test
  void misuseIsExitCodeTwoAndOneLine() {
    for (List<String> command :
        List.of(
            List.of("ls", "a b"),
            List.of("ls", "../etc"),
            List.of("ls", "desk", "--no-such-option"),
            List.of("no-such-command"),
            List.of("pin", "desk"),
            List.of("show", "desk@abc"),
            List.of("show", "@"),
            List.of("show", "desk@"),
            List.of("diff", "desk@-1", "desk"),
            List.of("show", ""),
            List.of("show", "de/sk"),
            List.of("ls", "desk@latest"),
            List.of("verify", "desk@latest"),
            List.of("keep", "desk@latest", "3"),
            List.of("import", "desk@latest", "/dev/null"),
            List.of("capture", ""),
            List.of("capture", "de/sk"),
            List.of("restore", ""),
            List.of("restore", "@"),
            List.of("restore", "desk", "--at", "yesterday"),
            List.of("restore", "desk", "--at", "2026-13-01"),
            List.of("restore", "desk@-1", "--at", "-1"),
            List.of("pull", "desk@yesterday", "--store", "dir:/nowhere"),
            List.of("pull", "desk"),
            List.of("push", "desk", "--store", "/srv"),
            List.of("push", "desk", "--store", "ftp://h"),
            List.of("push", "desk", "--store", "dir:/srv?copies=2"),
            List.of("ls", "--store", "http://h:99999999"),
            List.of("restore", "desk@abc"),
            List.of("restore", "desk", "--at", "1"),
            List.of("pin"),
            List.of("keep", "desk", "0"),
            List.of("keep", "desk", "-1"),
            List.of("keep", "desk", "1001"),
            List.of("keep", "desk", "many"))) {
      Result result = regen(command.toArray(String[]::new));
      assertThat(result.code()).as("%s", command).isEqualTo(2);
      assertThat(result.err())
          .startsWith("regen: ")
          .doesNotContain("Invalid value")
          .hasLineCount(1);
    }
    assertThat(regen("keep", "desk", "many").err())
        .isEqualTo("regen: N: 'many' is no number; see 'regen keep --help'\n");
    assertThat(regen("events", "--limit", "many").err()).startsWith("regen: --limit: 'many'");
  }

  @Test
  void addressThatCannotBeReadIsExitCodeTwoAndOneThatNamesNothingThree()
      throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    for (String address : List.of("nope", "yesterday", "2026-13-01", "09:00", "latest-1")) {
      assertThat(regen("show", "desk@" + address).code()).as(address).isEqualTo(2);
      assertThat(regen("restore", "desk", "--at", address).code()).as(address).isEqualTo(2);
    }
    for (String address : List.of("beef", "2020-01-01", "-7", "2020")) {
      assertThat(regen("show", "desk@" + address).code()).as(address).isEqualTo(3);
    }
    assertThat(regen("show", "desk@2026-11-22 23:00").code()).isZero();
    assertThat(regen("show", "desk@2020").err()).contains("2026-11-22T09:00");
  }

  @Test
  void directoryThatIsNoMountOfOursIsNotUnmounted() {
    assertThat(regen("umount", directory + "/none").err())
        .isEqualTo("regen: " + directory + "/none is no directory\n");
    assertThat(regen("umount", directory.toString()).code()).isEqualTo(4);
    assertThat(regen("umount", "/proc").err()).contains("nothing that 'regen mount' has mounted");
  }

  @Test
  void outputThatCannotBeWrittenIsExitCodeOne() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    for (List<String> command :
        List.of(
            List.of("export", "desk@latest"),
            List.of("export", "desk@latest", "-o", "-"),
            List.of("export", "desk@latest", "-o", "/dev/full"),
            List.of("ls"),
            List.of("show", "desk", "--json"),
            List.of("--help"))) {
      Result result = regenInto(Path.of("/dev/full"), command.toArray(String[]::new));
      assertThat(result.code()).as("%s", command).isEqualTo(1);
      assertThat(result.err())
          .as("%s", command)
          .startsWith("regen: ")
          .contains("No space left on device")
          .hasLineCount(1);
    }
  }

  @Test
  void processItselfFailsIfItsOutputCannotBeWritten() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.regen.agent.Main",
                "--help")
            .redirectOutput(Path.of("/dev/full").toFile())
            .start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(err).contains("standard output cannot be written: No space left on device");
  }

  @Test
  void exportIntoADirectoryThatIsNotThereSaysSo() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();

    Result result = regen("export", "desk@latest", "-o", "/nonexist/x");

    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).startsWith("regen: /nonexist is no directory").hasLineCount(1);
  }

  @Test
  void helpNamesTheExitCodes() {
    Result help = regen("--help");

    assertThat(help.code()).isZero();
    assertThat(help.out()).contains("Exit codes:").contains("5  the agent cannot be reached");
  }

  @Test
  void agentThatIsNotThereIsExitCodeFive() throws IOException {
    agent.close();

    Result result = regen("ls");

    assertThat(result.code()).isEqualTo(5);
    assertThat(result.err()).contains("no agent answers on").hasLineCount(1);
    agent = started();
  }

  @Test
  void agentThatEndsBeforeItAnswersIsExitCodeFive() throws IOException, InterruptedException {
    for (List<String> answers :
        List.of(
            List.of(""),
            List.of(answer("202 Accepted", "{\"id\":\"1\"}"), ""),
            List.of(
                answer("202 Accepted", "{\"id\":\"1\"}"),
                answer("404 Not Found", "{\"code\":\"not_found\",\"detail\":\"no job\"}")))) {
      Result result = withAgentThatAnswers(answers, "verify");

      assertThat(result.code()).as(result.err()).isEqualTo(5);
      assertThat(result.err())
          .startsWith("regen: the agent ended before it had answered (")
          .contains("'regen agent'", "run the same command again")
          .hasLineCount(1);
    }
  }

  private static String answer(String status, String body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  /** Runs a command against what gives these answers, and is gone then. */
  private Result withAgentThatAnswers(List<String> answers, String command)
      throws IOException, InterruptedException {
    agent.close();
    Path socket = directory.resolve("run/regen.sock");
    Files.deleteIfExists(socket);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread dying =
        Thread.ofVirtual()
            .start(() -> {
              for (int i = 0; i < answers.size(); i++) {
                try (SocketChannel asked = server.accept()) {
                  asked.read(ByteBuffer.allocate(1000));
                  if (i == answers.size() - 1) {
                    server.close();
                  }
                  asked.write(StandardCharsets.US_ASCII.encode(answers.get(i)));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              }
            });
    try {
      return regen(command);
    } finally {
      dying.join();
      Files.deleteIfExists(socket);
      agent = started();
    }
  }

  @Test
  void exportThatFillsTheDiskSaysWhatIsLeft() throws IOException, InterruptedException {
    spool("desk", NINE, "x".repeat(100_000));
    awaitIdle();
    Path small = Files.createDirectories(directory.resolve("small"));
    sh("mount -t tmpfs -o size=64k none " + small);
    try {
      Path file = small.resolve("desk.tar");
      Result result = regen("export", "desk@latest", "-o", file.toString());

      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err())
          .isEqualTo(
              "regen: "
                  + file
                  + " cannot be written: No space left on device; nothing of it is left there\n");
      assertThat(small.toFile().list()).isEmpty();
    } finally {
      sh("umount " + small);
    }
  }

  private static void sh(String command) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder("sh", "-c", command).inheritIO().start().waitFor()).isZero();
  }

  @Test
  void secondAgentOnTheSameHomeIsRefused() {
    Result result = regen("agent");

    assertThat(result.code()).isEqualTo(4);
    assertThat(result.err()).contains("another agent runs already");
  }
}
