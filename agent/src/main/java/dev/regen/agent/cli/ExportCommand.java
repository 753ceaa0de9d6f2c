package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.LocalDisk;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = {
      "Writes a snapshot as an OCI layer.",
      "Plain tar, or as stored (tar+zstd) if the file's name ends in .zst. An encrypted snapshot is"
          + " decrypted for it. A file is there whole or not at all."
    })
final class ExportCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE@S", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Default, and for -: standard output, as plain tar.")
  private @Nullable Path file;

  @Override
  int run(AgentClient agent) throws IOException {
    Path target = file;
    if (target == null || target.toString().equals("-")) {
      if (regen.terminal()) {
        throw new CommandFailure(
            Failure.Code.USAGE, "a tar is nothing for a terminal; name a file with -o FILE");
      }
      try {
        agent.download(address.snapshotPath() + "/archive?form=tar", regen.out());
      } catch (IOException e) {
        throw new CommandFailure(Failure.Code.FAILED, Why.of(e));
      }
      return DONE;
    }
    String form = target.toString().endsWith(".zst") ? "stored" : "tar";
    Path whole = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
    if (Files.exists(whole) && !Files.isRegularFile(whole)) {
      // A device or a pipe is written to; only a file can be replaced as a whole.
      try (OutputStream out = Files.newOutputStream(whole, StandardOpenOption.WRITE)) {
        agent.download(address.snapshotPath() + "/archive?form=" + form, out);
      } catch (IOException e) {
        throw unwritten(target, e, "");
      }
      return DONE;
    }
    requireDirectory(whole.getParent());
    boolean replaces = Files.exists(whole);
    Path part = whole.resolveSibling("." + whole.getFileName() + "." + UUID.randomUUID());
    ProgressLine progress = new ProgressLine(err(), regen.terminal());
    try {
      // What a container wrote may be secret: nobody else reads it before its owner says so.
      Files.createFile(
          part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (OutputStream out = counted(Files.newOutputStream(part), progress)) {
        agent.download(address.snapshotPath() + "/archive?form=" + form, out);
      }
      new LocalDisk().rename(part, whole);
    } catch (IOException e) {
      throw unwritten(
          target, e, replaces ? "; what was there before stays" : "; nothing of it is left there");
    } finally {
      progress.end();
      Files.deleteIfExists(part);
    }
    return DONE;
  }

  private static CommandFailure unwritten(Path target, IOException cause, String left) {
    return new CommandFailure(
        Failure.Code.FAILED, target + " cannot be written: " + Why.of(cause) + left);
  }

  private static void requireDirectory(@Nullable Path parent) {
    if (parent == null || !Files.isDirectory(parent)) {
      throw new CommandFailure(
          Failure.Code.NOT_FOUND, parent + " is no directory; make it, or name another place");
    }
  }

  private static OutputStream counted(OutputStream out, ProgressLine progress) {
    return new FilterOutputStream(out) {
      private long bytes;
      private long shown;

      @Override
      public void write(byte[] buffer, int offset, int length) throws IOException {
        out.write(buffer, offset, length);
        bytes += length;
        if (bytes - shown > 10_000_000) {
          shown = bytes;
          progress.bytes("exporting", bytes);
        }
      }
    };
  }
}
