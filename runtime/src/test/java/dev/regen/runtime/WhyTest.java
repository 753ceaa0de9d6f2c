package dev.regen.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Failures as Java itself throws them, told to a person. */
final class WhyTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @Test
  void failuresOfFilesSayWhatIsTheMatter() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    Path full = Files.createDirectories(directory.resolve("full/inner")).getParent();

    assertThat(why(() -> Files.readString(directory.resolve("none"))))
        .endsWith("/none is not there");
    assertThat(why(() -> Files.createDirectories(file))).endsWith("/file is there already");
    assertThat(why(() -> Files.delete(full))).endsWith("/full is a directory that is not empty");
    assertThat(why(() -> Files.readString(file.resolve("below")))).contains("Not a directory");
  }

  @Test
  void failuresWithoutAWordAreToldInWords() {
    Throwable unknown = new ConnectException();
    unknown.initCause(new UnresolvedAddressException());

    assertThat(Why.of(new ConnectException())).contains("connection refused");
    assertThat(Why.of(unknown)).isEqualTo("no host of that name is known");
    assertThat(Why.of(new ClosedChannelException())).isEqualTo("the connection was closed");
    for (Throwable failure :
        List.of(new EOFException(), new IOException(), new java.net.SocketTimeoutException(" "))) {
      assertThat(Why.of(failure)).isNotBlank().doesNotContain("Exception");
    }
  }

  private static String why(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    String why = Why.of(catchThrowable(call));
    assertThat(why).doesNotContain("Exception");
    return why;
  }
}
