import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.format.DateTimeFormatter;
import java.util.Properties;
import java.util.StringJoiner;

/**
 * Asks a catalog through the JDBC driver. Each line of standard input is a statement, or one of the metadata calls that tools make
 * when they look around: "version", "schemas", "tables", "keys SCHEMA TABLE" or "columns SCHEMA TABLE". Each is answered by a line
 * of JSON: an array of rows, of the version an array of two texts.
 */
public class Jdbc {
    private static final DateTimeFormatter MICROSECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS");

    public static void main(String[] args) throws Exception {
        Properties readOnly = new Properties();
        readOnly.setProperty("duckdb.read_only", "true");
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:" + args[0], readOnly)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.println(answer(connection, line));
            }
        }
    }

    private static String answer(Connection connection, String line) throws SQLException {
        DatabaseMetaData meta = connection.getMetaData();
        String[] words = line.split(" ");
        switch (words[0]) {
            case "version":
                return array(value(meta.getDriverVersion()), value(meta.getDatabaseProductVersion()));
            case "schemas":
                return rows(meta.getSchemas(), "TABLE_SCHEM");
            case "tables":
                return rows(meta.getTables(null, null, "%", new String[] {"VIEW"}), "TABLE_SCHEM", "TABLE_NAME");
            case "keys":
                return rows(meta.getPrimaryKeys(null, words[1], words[2]), "COLUMN_NAME");
            case "columns":
                return rows(meta.getColumns(null, words[1], words[2], "%"), "COLUMN_NAME", "TYPE_NAME");
            default:
                try (Statement statement = connection.createStatement()) {
                    return rows(statement.executeQuery(line));
                }
        }
    }

    /** Returns the named columns of all rows, or all columns. */
    private static String rows(ResultSet rows, String... names) throws SQLException {
        StringJoiner all = new StringJoiner(",", "[", "]");
        try (rows) {
            while (rows.next()) {
                String[] row = new String[names.length > 0 ? names.length : rows.getMetaData().getColumnCount()];
                for (int i = 0; i < row.length; i++) {
                    row[i] = value(names.length > 0 ? rows.getObject(names[i]) : rows.getObject(i + 1));
                }
                all.add(array(row));
            }
        }
        return all.toString();
    }

    private static String array(String... values) {
        return "[" + String.join(",", values) + "]";
    }

    private static String value(Object value) throws SQLException {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            return String.valueOf(value);
        }
        if (value instanceof Timestamp) {
            return text(((Timestamp) value).toLocalDateTime().format(MICROSECONDS));
        }
        if (value instanceof Array) {
            StringJoiner all = new StringJoiner(",", "[", "]");
            for (Object element : (Object[]) ((Array) value).getArray()) {
                all.add(value(element));
            }
            return all.toString();
        }
        return text(value.toString());
    }

    private static String text(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
