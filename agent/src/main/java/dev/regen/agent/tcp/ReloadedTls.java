package dev.regen.agent.tcp;

import dev.regen.runtime.Why;
import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server's certificate, key and the certificates of its clients, read again when one of the files
 * has changed. Files that do not fit together are told of in the log, and the ones before stay in
 * use.
 */
final class ReloadedTls extends AbstractLifeCycle {
  private static final Logger LOG = LoggerFactory.getLogger(ReloadedTls.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(2);

  private final Listening files;
  private final SslContextFactory.Server factory = new SslContextFactory.Server();
  private List<Object> seen;
  private @Nullable Thread looking;

  ReloadedTls(Listening files) throws IOException {
    this.files = files;
    this.seen = look();
    factory.setSslContext(context());
    factory.setNeedClientAuth(files.clients() != null && !files.optional());
    factory.setWantClientAuth(files.clients() != null && files.optional());
  }

  SslContextFactory.Server factory() {
    return factory;
  }

  @Override
  protected void doStart() {
    looking = Thread.ofPlatform().daemon().name("tls-files").start(this::lookAgainAndAgain);
  }

  @Override
  protected void doStop() {
    if (looking != null) {
      looking.interrupt();
    }
  }

  private void lookAgainAndAgain() {
    try {
      while (true) {
        Thread.sleep(LOOK_EVERY);
        reload();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void reload() {
    List<Object> now = look();
    if (now.equals(seen)) {
      return;
    }
    try {
      SSLContext context = context();
      factory.reload(it -> it.setSslContext(context));
      LOG.info("the TLS files have changed and are used from now on");
    } catch (Exception e) {
      LOG.warn("the TLS files have changed, and the ones before stay in use: {}", Why.of(e));
    }
    seen = now;
  }

  private SSLContext context() throws IOException {
    return TlsFiles.context(
        Objects.requireNonNull(files.certificate()),
        Objects.requireNonNull(files.key()),
        files.clients());
  }

  /** What tells whether a file is another one. */
  private List<Object> look() {
    List<Object> all = new ArrayList<>();
    for (Path file : new Path[] {files.certificate(), files.key(), files.clients()}) {
      if (file != null) {
        try {
          all.add(Files.getLastModifiedTime(file));
          all.add(Files.size(file));
        } catch (IOException e) {
          all.add("not there");
        }
      }
    }
    return all;
  }
}
