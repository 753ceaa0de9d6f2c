package dev.regen.agent.observe;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.EncoderBase;
import dev.regen.runtime.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log of JSON objects, one a line: {@code time}, {@code level}, {@code logger}, {@code thread},
 * {@code message}, {@code error} with its stack, and {@code job}, the id of the operation that the
 * line belongs to.
 */
public final class JsonLog extends EncoderBase<ILoggingEvent> {
  private static final byte[] NONE = new byte[0];

  /** What is logged from now on is JSON, if the configuration says so. */
  public static void install(ObserveConfiguration configuration) {
    if (!configuration.jsonLog()
        || !(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return;
    }
    Iterator<Appender<ILoggingEvent>> all =
        context.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
    while (all.hasNext()) {
      if (all.next() instanceof ConsoleAppender<ILoggingEvent> console) {
        JsonLog encoder = new JsonLog();
        encoder.setContext(context);
        encoder.start();
        console.stop();
        console.setEncoder(encoder);
        console.start();
      }
    }
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    IThrowableProxy error = event.getThrowableProxy();
    String name = event.getLoggerName();
    JsonObject json =
        new JsonObject()
            .with("time", event.getInstant())
            .with("level", event.getLevel().toString())
            .with("logger", name.substring(name.lastIndexOf('.') + 1))
            .with("thread", event.getThreadName())
            .with("message", event.getFormattedMessage());
    event.getMDCPropertyMap().forEach(json::with);
    if (error != null) {
      json.with("error", ThrowableProxyUtil.asString(error));
    }
    return (json + "\n").getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public byte[] headerBytes() {
    return NONE;
  }

  @Override
  public byte[] footerBytes() {
    return NONE;
  }
}
